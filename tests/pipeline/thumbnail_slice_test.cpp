#include "mcvol/pipeline/thumbnail_slice.h"

#include "mcvol/image/axial_plane.h"

#include <cmath>
#include <functional>

#include <gtest/gtest.h>

namespace mcvol {
namespace {

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

using Logit = std::function<float(std::int64_t i, std::int64_t j, std::int64_t k, int region)>;

/// Of one pass.
Thumbnail slice_of(const PreparedScan& scan, const Logit& logit) {
  std::vector<std::int64_t> voxels;
  std::vector<float> logits;
  for (int region = 0; region < 2; ++region) {
    for (std::int64_t k = 0; k < kSize[2]; ++k) {
      for (std::int64_t j = 0; j < kSize[1]; ++j) {
        for (std::int64_t i = 0; i < kSize[0]; ++i) {
          if (scan.measured.at(i, j, k) == 0) continue;
          if (region == 0) voxels.push_back(static_cast<std::int64_t>(voxels.size()));
          logits.push_back(logit(i, j, k, region));
        }
      }
    }
  }
  HistogramSink sink({"whole", "core"}, static_cast<std::int64_t>(voxels.size()), 1, 0);
  sink.accept({voxels, 0, 1, 2, logits});
  sink.finish();
  return thumbnail_slice(scan, 1, sink);
}

TEST(ThumbnailSlice, IsTheOneWithMostOfTheFirstRegionAndHoldsEveryRegion) {
  const Thumbnail made =
      slice_of(brain_scan(), [](std::int64_t i, std::int64_t j, std::int64_t k, int region) {
        if (region == 1) return k == 3 ? 3.0f : -2.0f;  // more of it in another slice
        return k == 4 && i == 2 && j < 4 ? 2.0f : k == 3 && i == 2 && j == 1 ? 2.0f : -4.0f;
      });
  ASSERT_EQ(made.width, 5);
  ASSERT_EQ(made.height, 6);
  ASSERT_EQ(made.regions.size(), 2u);
  for (std::int64_t j = 0; j < 6; ++j) {
    for (std::int64_t i = 0; i < 5; ++i) {
      const auto pixel = static_cast<std::size_t>(i + 5 * j);
      const bool brain = i > 0 && i < 4 && j > 0 && j < 5;
      EXPECT_EQ(made.scan[pixel] > 0, brain);
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
  const Thumbnail made = slice_of(scan, [](auto...) { return -HUGE_VALF; });
  EXPECT_EQ(made.scan[2 + 5 * 2] > 0, true);
  EXPECT_EQ(made.scan[1 + 5 * 2], 0);
}

TEST(ThumbnailSlice, IsGreyFromTheFirstTo99thPercentileOfTheBrain) {
  PreparedScan scan = brain_scan();
  scan.channels[1].at(1, 1, 3) = -1e6f;  // 48 voxels: the ends are the percentiles
  const Thumbnail made = slice_of(
      scan, [](std::int64_t, std::int64_t, std::int64_t k, int) { return k == 3 ? 1.0f : -9.0f; });
  EXPECT_EQ(made.scan[1 + 5 * 1], 1);
  EXPECT_GT(made.scan[2 + 5 * 1], 250);
  scan.channels[1].at(1, 1, 3) = 111.0f;
  const Thumbnail even = slice_of(
      scan, [](std::int64_t, std::int64_t, std::int64_t k, int) { return k == 3 ? 1.0f : -9.0f; });
  // Offsets 66 to 173 of the whole brain, 96 to 113 in this slice.
  EXPECT_NEAR(even.scan[2 + 5 * 2], 1 + 254.0 * (102 - 66) / (173 - 66), 1);
}

TEST(ChannelToShow, IsFlairElseContrastElseTheFirst) {
  Bundle bundle;
  bundle.channels = {{"a", {"t1", "0000"}, {}}, {"b", {"T1ce"}, {}}, {"Flair", {"0003"}, {}}};
  EXPECT_EQ(channel_to_show(bundle), 2u);
  bundle.channels.pop_back();
  EXPECT_EQ(channel_to_show(bundle), 1u);
  bundle.channels.pop_back();
  EXPECT_EQ(channel_to_show(bundle), 0u);
}

}  // namespace
}  // namespace mcvol
