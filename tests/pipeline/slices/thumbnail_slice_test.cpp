#include "mcvol/pipeline/thumbnail_slice.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/slices/measured_slices.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::Logit;
using testing::slices_along;
using testing::slices_of;

constexpr Index3 kSize{5, 6, 8};

/// A brain in all but the border of i and j, slices 2 to 5 of k; intensities rise with the offset.
PreparedScan brain_scan() {
  PreparedScan scan;
  scan.grid.size = kSize;
  scan.brain = Image<std::uint8_t>(scan.grid);
  scan.channels = {Image<float>(scan.grid), Image<float>(scan.grid)};
  for (std::int64_t k = 2; k < 6; ++k) {
    for (std::int64_t j = 1; j < 5; ++j) {
      for (std::int64_t i = 1; i < 4; ++i) {
        scan.brain.at(i, j, k) = 1;
        scan.channels[1].at(i, j, k) = static_cast<float>(scan.grid.offset(i, j, k));
      }
    }
  }
  scan.measured = scan.brain;
  return scan;
}

/// The axial one, where it is a single one.
ThumbnailSlice slice_of(const PreparedScan& scan, const Logit& logit) {
  const std::vector<ThumbnailSlice> made = slices_along(Plane::kAxial, slices_of(scan, logit));
  EXPECT_EQ(made.size(), 1u);
  return made.at(0);
}

TEST(ThumbnailSlice, IsTheOneWithMostOfTheFirstRegionAndHoldsEveryRegion) {
  const Thumbnail thumbnail =
      slices_of(brain_scan(), [](std::int64_t i, std::int64_t j, std::int64_t k, int region) {
        if (region == 1) return k == 3 ? 3.0f : -2.0f;  // more of it in another slice
        return k == 4 && i == 2 && j < 4 ? 2.0f : k == 3 && i == 2 && j == 1 ? -2.0f : -4.0f;
      });
  // A trace in another axial slice is no place.
  ASSERT_EQ(slices_along(Plane::kAxial, thumbnail).size(), 1u);
  const ThumbnailSlice& made = thumbnail.slices[0];
  ASSERT_EQ(made.width, 5);
  ASSERT_EQ(made.height, 6);
  EXPECT_EQ(made.index, 4);
  ASSERT_EQ(made.regions.size(), 2u);
  for (std::int64_t j = 0; j < 6; ++j) {
    for (std::int64_t i = 0; i < 5; ++i) {
      const auto pixel = static_cast<std::size_t>(i + 5 * j);
      const bool brain = i > 0 && i < 4 && j > 0 && j < 5;
      EXPECT_EQ(made.channels[0][pixel] > 0, brain);
      if (!brain) {
        EXPECT_EQ(made.regions[0][pixel], 0);
        continue;
      }
      EXPECT_NEAR(logit_from_byte(made.regions[0][pixel]), i == 2 && j < 4 ? 2 : -4, 0.064);
      EXPECT_NEAR(logit_from_byte(made.regions[1][pixel]), -2, 0.064);
    }
  }
}

TEST(ThumbnailSlice, TraceAllOverASliceDoesNotOutweighASmallTumour) {
  const PreparedScan scan = brain_scan();
  // 12 voxels of p = 0.05 sum to more than one of 0.5.
  const auto logit = [](std::int64_t i, std::int64_t j, std::int64_t k, int) {
    return k == 2 ? std::log(0.05f / 0.95f) : k == 5 && i == 2 && j == 2 ? 0.0f : -9.0f;
  };
  EXPECT_EQ(slice_of(scan, logit).regions[0][2 + 5 * 2], 128);
}

TEST(ThumbnailSlice, WithoutAnyProbabilityIsTheMiddleOfTheBrain) {
  PreparedScan scan = brain_scan();
  scan.brain.at(2, 2, 4) = scan.measured.at(2, 2, 4) = 0;
  scan.brain.at(1, 2, 3) = scan.measured.at(1, 2, 3) = 0;  // slices 2 to 5: the middle is 3
  const ThumbnailSlice made = slice_of(scan, [](auto...) { return -HUGE_VALF; });
  EXPECT_EQ(made.channels[0][2 + 5 * 2] > 0, true);
  EXPECT_EQ(made.channels[0][1 + 5 * 2], 0);
}

TEST(ThumbnailSlice, IsGreyFromTheFirstTo99thPercentileOfTheBrainWhereNoTumourIsBrighter) {
  PreparedScan scan = brain_scan();
  const ThumbnailSlice made = slice_of(
      scan, [](std::int64_t, std::int64_t, std::int64_t k, int) { return k == 3 ? 1.0f : -9.0f; });
  // Offsets 66 to 173 of the whole brain, the first percentile the second of them; 96 to 113 here.
  EXPECT_NEAR(made.channels[0][2 + 5 * 2], 1 + 254.0 * (102 - 67) / (173 - 67), 1);
  scan.channels[1].at(1, 1, 3) = -1e6f;
  const ThumbnailSlice with_outlier = slice_of(
      scan, [](std::int64_t, std::int64_t, std::int64_t k, int) { return k == 3 ? 1.0f : -9.0f; });
  EXPECT_EQ(with_outlier.channels[0][1 + 5 * 1], 1);
  EXPECT_NEAR(with_outlier.channels[0][2 + 5 * 2], made.channels[0][2 + 5 * 2], 2);
}

/// A brain of 40 x 40 x 5 with intensities 100 to 149, and a tumour in its middle slice.
PreparedScan scan_with_a_bright_tumour() {
  PreparedScan scan;
  scan.grid.size = {40, 40, 5};
  scan.brain = scan.measured = Image<std::uint8_t>(scan.grid, 1);
  scan.channels = {Image<float>(scan.grid), Image<float>(scan.grid)};
  std::vector<float>& values = scan.channels[1].values;
  for (std::size_t n = 0; n < values.size(); ++n) values[n] = 100 + static_cast<float>(n * 7 % 50);
  for (std::int64_t n = 0; n < 144; ++n) {
    scan.channels[1].at(14 + n % 12, 14 + n / 12, 2) = 300 + static_cast<float>(n * 5 % 144);
  }
  return scan;
}

TEST(ThumbnailSlice, LeavesATumourThatIsBrighterThanTheBrainItsGreys) {
  const PreparedScan scan = scan_with_a_bright_tumour();
  const ThumbnailSlice made =
      slice_of(scan, [](std::int64_t i, std::int64_t j, std::int64_t k, int) {
        return k == 2 && i >= 14 && i < 26 && j >= 14 && j < 26 ? 3.0f : -9.0f;
      });
  int white = 0, tumour = 0;
  std::uint8_t darkest = 255, brain_most = 0, brain_least = 255;
  for (std::size_t n = 0; n < made.channels[0].size(); ++n) {
    const std::uint8_t grey = made.channels[0][n];
    if (made.regions[0][n] < 128) {
      brain_most = std::max(brain_most, grey);
      brain_least = std::min(brain_least, grey);
      continue;
    }
    ++tumour;
    white += grey == 255 ? 1 : 0;
    darkest = std::min(darkest, grey);
  }
  EXPECT_EQ(tumour, 144);
  EXPECT_LE(white, 0.05 * tumour);
  // 300 to 440 of 100 to 440: linear, so that the tumour has its share of the greys, and the brain.
  EXPECT_NEAR(darkest, 1 + 254 * 200.0 / 340, 3);
  EXPECT_NEAR(brain_most - brain_least, 254 * 49.0 / 340, 3);
}

TEST(ThumbnailSlice, OfOtherIntensitiesIsRefused) {
  const PreparedScan scan = brain_scan();
  HistogramSink sink({"whole"}, 48, 1, 0);
  EXPECT_THROW(thumbnail_of(scan, {{1}, {0}}, {}, sink), Error);
  EXPECT_THROW(thumbnail_of(scan, {{1}, {0}}, {{1, 2, 3}}, sink), Error);
}

std::vector<Bundle::Channel> channels_called(const std::vector<std::vector<std::string>>& names) {
  std::vector<Bundle::Channel> channels;
  for (const auto& suffixes : names) channels.push_back({suffixes.front(), suffixes, {}});
  return channels;
}

TEST(ChannelsToShow, AreFlairAndContrastForWhatEnhances) {
  Bundle bundle;
  bundle.channels = channels_called({{"a", "t1", "0000"}, {"b", "T1ce"}, {"Flair", "0003"}});
  bundle.regions = {{"whole_tumour", {}}, {"tumour_core", {}}, {"Enhancing", {}}, {"ET", {}}};
  const ChannelsToShow shown = channels_to_show(bundle);
  EXPECT_EQ(shown.channels, (std::vector<std::size_t>{2, 1}));
  EXPECT_EQ(shown.of_region, (std::vector<std::size_t>{0, 1, 1, 1}));
  bundle.regions.resize(1);
  EXPECT_EQ(channels_to_show(bundle).channels, std::vector<std::size_t>{2});
}

TEST(ChannelsToShow, AreContrastElseTheFirstWhereThereIsNoFlair) {
  Bundle bundle;
  bundle.regions = {{"whole_tumour", {}}, {"tumour_core", {}}};
  bundle.channels = channels_called({{"a", "t1", "0000"}, {"b", "T1Gd"}});
  EXPECT_EQ(channels_to_show(bundle).channels, std::vector<std::size_t>{1});
  EXPECT_EQ(channels_to_show(bundle).of_region, (std::vector<std::size_t>{0, 0}));
  bundle.channels.pop_back();
  EXPECT_EQ(channels_to_show(bundle).channels, std::vector<std::size_t>{0});
}

}  // namespace
}  // namespace mcvol
