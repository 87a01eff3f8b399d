#include "mcvol/io/records/thumbnail.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"

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
  return {3, 2, {0, 1, 2, 3, 4, 255}, {{0, 1, 128, 200, 254, 255}, {9, 8, 7, 6, 5, 4}}};
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
  EXPECT_EQ(read.scan, small_thumbnail().scan);
  EXPECT_EQ(read.regions, small_thumbnail().regions);
  const std::string bytes = read_file(path);
  write_thumbnail(small_thumbnail(), path);
  EXPECT_EQ(read_file(path), bytes);
}

TEST(ThumbnailFile, OfAnotherGridOrRegionsIsRefused) {
  const TemporaryFolder folder;
  const auto path = thumbnail_path(folder.path(), "case_a");
  write_thumbnail(small_thumbnail(), path);
  EXPECT_THROW(read_thumbnail(path, small_grid(), 3), InputError);
  Grid other = small_grid();
  other.size[0] = 4;
  try {
    read_thumbnail(path, other, 2);
    ADD_FAILURE();
  } catch (const InputError& error) {
    EXPECT_EQ(std::string(error.what()),
              "case_a.png: expected a grey PNG picture of 4x6 pixels, found 3x6");
  }
}

}  // namespace
}  // namespace mcvol
