#include "mcvol/io/records/thumbnail.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"
#include "mcvol/io/images/png.h"

#include <cmath>

#include "files/temporary_folder.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

Grid small_grid() {
  Grid grid;
  grid.size = {3, 2, 7};
  return grid;
}

Thumbnail small_thumbnail() {
  Thumbnail thumbnail{3, 2, {3, 1}, {0, 1}, {}};
  thumbnail.slices.push_back({6,
                              {{0, 1, 2, 3, 4, 255}, {0, 9, 9, 9, 9, 9}},
                              {{0, 1, 128, 200, 254, 255}, {9, 8, 7, 6, 5, 4}}});
  thumbnail.slices.push_back(thumbnail.slices[0]);
  thumbnail.slices[1].index = 2;
  thumbnail.slices[1].regions[1][0] = 77;
  return thumbnail;
}

TEST(ThumbnailBytes, AreStepsOfTheLogit) {
  EXPECT_EQ(byte_from_probability(0.5), 128);
  EXPECT_EQ(byte_from_probability(0), 1);
  EXPECT_EQ(byte_from_probability(1), 255);
  for (const double p : {1e-6, 0.01, 0.3, 0.9, 0.9999}) {
    const double logit = std::log(p / (1 - p));
    EXPECT_NEAR(logit_from_byte(byte_from_probability(p)), logit, 16.0 / 127 / 2);
    EXPECT_NEAR(logit_from_byte(byte_from_logit(logit)), logit, 1e-12);
  }
}

TEST(ThumbnailFile, ReadsBackTheSameBytes) {
  const TemporaryFolder folder;
  const auto path = thumbnail_path(folder.path(), "case_a");
  EXPECT_EQ(path, folder.path() / "thumbnails" / "case_a.png");
  write_thumbnail(small_thumbnail(), path);
  const Thumbnail read = read_thumbnail(path, small_grid(), 2);
  EXPECT_EQ(read.width, 3);
  EXPECT_EQ(read.height, 2);
  EXPECT_EQ(read.channels, small_thumbnail().channels);
  EXPECT_EQ(read.channel_of_region, small_thumbnail().channel_of_region);
  ASSERT_EQ(read.slices.size(), 2u);
  for (std::size_t n = 0; n < 2; ++n) {
    EXPECT_EQ(read.slices[n].index, small_thumbnail().slices[n].index);
    EXPECT_EQ(read.slices[n].channels, small_thumbnail().slices[n].channels);
    EXPECT_EQ(read.slices[n].regions, small_thumbnail().slices[n].regions);
  }
  const std::string bytes = read_file(path);
  write_thumbnail(small_thumbnail(), path);
  EXPECT_EQ(read_file(path), bytes);
}

TEST(ThumbnailFile, OfVersion01IsOneSliceOfAnUnknownNumber) {
  const TemporaryFolder folder;
  const auto path = thumbnail_path(folder.path(), "case_a");
  const std::vector<std::uint8_t> pixels{0, 1, 2, 3, 4, 255, 0, 1, 128, 200, 254, 255};
  write_file_atomically(path, png_from_picture({3, 4, pixels}));
  const Thumbnail read = read_thumbnail(path, small_grid(), 1);
  ASSERT_EQ(read.slices.size(), 1u);
  EXPECT_FALSE(read.slices[0].index);
  ASSERT_EQ(read.channels.size(), 1u);
  EXPECT_FALSE(read.channels[0]);
  EXPECT_EQ(read.channel_of_region, std::vector<std::size_t>{0});
  EXPECT_EQ(read.slices[0].channels[0], (std::vector<std::uint8_t>{0, 1, 2, 3, 4, 255}));
  EXPECT_EQ(read.slices[0].regions[0], (std::vector<std::uint8_t>{0, 1, 128, 200, 254, 255}));
}

TEST(ThumbnailFile, WithAnotherHeadIsRefused) {
  const TemporaryFolder folder;
  const auto path = thumbnail_path(folder.path(), "case_a");
  // Format, channels, slices; channel; channel of the region; index of the slice: three rows.
  const std::vector<std::uint8_t> good{2, 1, 1, 0, 0, 6, 0, 0, 0};
  const auto read = [&](std::vector<std::uint8_t> pixels, std::int64_t panel_rows) {
    pixels.resize(pixels.size() + static_cast<std::size_t>(3 * panel_rows), 9);
    write_file_atomically(path, png_from_picture({3, 3 + panel_rows, pixels}));
    return read_thumbnail(path, small_grid(), 1);
  };
  EXPECT_EQ(read(good, 4).slices[0].index, 6);
  EXPECT_THROW(read(good, 5), InputError);
  for (const auto& [at, value] :
       {std::pair{0, 3}, {1, 0}, {1, 3}, {2, 0}, {2, 4}, {4, 1}, {5, 7}, {6, 1}}) {
    std::vector<std::uint8_t> bad = good;
    bad[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(value);
    EXPECT_THROW(read(bad, 4), InputError) << at << " " << value;
  }
}

TEST(ThumbnailFile, OfAnotherGridOrRegionsIsRefused) {
  const TemporaryFolder folder;
  const auto path = thumbnail_path(folder.path(), "case_a");
  write_thumbnail(small_thumbnail(), path);
  EXPECT_THROW(read_thumbnail(path, small_grid(), 1), InputError);
  EXPECT_THROW(read_thumbnail(path, small_grid(), 3), InputError);
  Grid other = small_grid();
  other.size[0] = 4;
  try {
    read_thumbnail(path, other, 2);
    ADD_FAILURE();
  } catch (const InputError& error) {
    EXPECT_EQ(
        std::string(error.what()),
        "case_a.png: expected a grey PNG picture 4 pixels wide and at most 28 high, found 3x20");
  }
}

}  // namespace
}  // namespace mcvol
