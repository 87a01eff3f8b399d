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

/// An axial slice of 3 x 2 pixels, a sagittal one of 2 x 7, and another axial one.
Thumbnail small_thumbnail() {
  Thumbnail thumbnail{{3, 1}, {0, 1}, {}};
  thumbnail.slices.push_back({Plane::kAxial,
                              3,
                              2,
                              6,
                              {{0, 1, 2, 3, 4, 255}, {0, 9, 9, 9, 9, 9}},
                              {{0, 1, 128, 200, 254, 255}, {9, 8, 7, 6, 5, 4}}});
  ThumbnailSlice sagittal{Plane::kSagittal, 2, 7, 1, {}, {}};
  for (std::uint8_t panel = 0; panel < 4; ++panel) {
    std::vector<std::uint8_t> pixels;
    for (std::uint8_t n = 0; n < 14; ++n) {
      pixels.push_back(static_cast<std::uint8_t>(100 + 20 * panel + n));
    }
    (panel < 2 ? sagittal.channels : sagittal.regions).push_back(pixels);
  }
  thumbnail.slices.push_back(sagittal);
  thumbnail.slices.push_back(thumbnail.slices[0]);
  thumbnail.slices[2].index = 2;
  thumbnail.slices[2].regions[1][0] = 77;
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
  EXPECT_EQ(read.channels, small_thumbnail().channels);
  EXPECT_EQ(read.channel_of_region, small_thumbnail().channel_of_region);
  ASSERT_EQ(read.slices.size(), 3u);
  for (std::size_t n = 0; n < 3; ++n) {
    EXPECT_EQ(read.slices[n].plane, small_thumbnail().slices[n].plane);
    EXPECT_EQ(read.slices[n].width, small_thumbnail().slices[n].width);
    EXPECT_EQ(read.slices[n].height, small_thumbnail().slices[n].height);
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

/// A file of this head with rows of 9 below it, of one region on small_grid().
Thumbnail read_with_head(std::vector<std::uint8_t> head, std::int64_t width, std::int64_t rows) {
  const TemporaryFolder folder;
  const auto path = thumbnail_path(folder.path(), "case_a");
  const auto size = static_cast<std::int64_t>(head.size());
  const std::int64_t head_rows = (size + width - 1) / width;
  head.resize(static_cast<std::size_t>(head_rows * width), 0);
  head.resize(head.size() + static_cast<std::size_t>(width * rows), 9);
  write_file_atomically(path, png_from_picture({width, head_rows + rows, head}));
  return read_thumbnail(path, small_grid(), 1);
}

TEST(ThumbnailFile, OfFormat2HasAxialSlices) {
  // Format, channels, slices; channel; channel of the region; index of the slice.
  const Thumbnail read = read_with_head({2, 1, 1, 0, 0, 6, 0}, 3, 4);
  ASSERT_EQ(read.slices.size(), 1u);
  EXPECT_EQ(read.slices[0].plane, Plane::kAxial);
  EXPECT_EQ(read.slices[0].index, 6);
  EXPECT_EQ(read.slices[0].width, 3);
  EXPECT_EQ(read.slices[0].height, 2);
  EXPECT_EQ(read.slices[0].channels[0], std::vector<std::uint8_t>(6, 9));
}

TEST(ThumbnailFile, WithAnotherHeadIsRefused) {
  const std::vector<std::uint8_t> good{2, 1, 1, 0, 0, 6, 0};
  EXPECT_THROW(read_with_head(good, 3, 5), InputError);
  EXPECT_THROW(read_with_head(good, 2, 4), InputError);
  for (const auto& [at, value] :
       {std::pair{0, 3}, {0, 4}, {1, 0}, {1, 3}, {2, 0}, {2, 4}, {2, 6}, {4, 1}, {5, 7}, {6, 1}}) {
    std::vector<std::uint8_t> bad = good;
    bad[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(value);
    EXPECT_THROW(read_with_head(bad, 3, 4), InputError) << at << " " << value;
  }
}

TEST(ThumbnailFile, WhosePlaneOrSizeIsAnotherIsRefused) {
  // As format 2, and the measurement after the numbers, the plane of the slice before its index.
  // Coronal: 3 x 7 pixels.
  const std::vector<std::uint8_t> good{3, 1, 1, 10, 11, 12, 13, 14, 15, 16, 17, 0, 0, 1, 1, 0};
  EXPECT_EQ(read_with_head(good, 3, 14).measurement, (Measurement{10, 11, 12, 13, 14, 15, 16, 17}));
  EXPECT_EQ(read_with_head(good, 3, 14).slices[0].plane, Plane::kCoronal);
  EXPECT_THROW(read_with_head(good, 3, 13), InputError);
  EXPECT_THROW(read_with_head(good, 2, 14), InputError);
  for (const auto& [at, value] : {std::pair{13, 0}, {13, 2}, {13, 3}, {14, 2}}) {
    std::vector<std::uint8_t> bad = good;
    bad[static_cast<std::size_t>(at)] = static_cast<std::uint8_t>(value);
    EXPECT_THROW(read_with_head(bad, 3, 14), InputError) << at << " " << value;
  }
}

TEST(ThumbnailFile, OfAnotherGridOrRegionsIsRefused) {
  const TemporaryFolder folder;
  const auto path = thumbnail_path(folder.path(), "case_a");
  write_thumbnail(small_thumbnail(), path);
  EXPECT_THROW(read_thumbnail(path, small_grid(), 1), InputError);
  EXPECT_THROW(read_thumbnail(path, small_grid(), 3), InputError);
  const auto complaint_of = [&](const Index3& size) -> std::string {
    Grid other;
    other.size = size;
    try {
      read_thumbnail(path, other, 2);
    } catch (const InputError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(complaint_of({4, 2, 7}), "case_a.png: expected 12 panels in 4x52 pixels, found 3x52");
  EXPECT_EQ(complaint_of({2, 2, 7}),
            "case_a.png: expected a grey PNG picture of at most 2x155 pixels, found 3x52");
}

}  // namespace
}  // namespace mcvol
