#include "mcvol/calibration/segmentation_features.h"

#include "mcvol/error/error.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace mcvol {
namespace {

SegmentationFeatures features_of(const RegionPrediction& prediction) {
  return segmentation_features(prediction, regression_features(prediction));
}

/// Voxels of logit 2, -2 and far below 0, all of them nodes.
LogitHistogram histogram_of(int high, int low, int none) {
  LogitHistogram histogram;
  for (const auto& [logit, count] : {std::pair{2.0F, high}, {-2.0F, low}, {-16.0F, none}}) {
    for (int n = 0; n < count; ++n) histogram.add(logit);
  }
  return histogram;
}

RegionPrediction prediction_with(const LogitHistogram& mean, const LogitHistogram& no_dropout,
                                 std::vector<std::int64_t> agreement) {
  return {"case", "whole", {mean, mean}, {no_dropout}, 0.008, mean, 0, std::move(agreement)};
}

constexpr double kHigh = 0.8807970779778823;  // 1 / (1 + exp(-2))

TEST(SegmentationFeatures, AreThoseOfTheHistograms) {
  const SegmentationFeatures of = features_of(
      prediction_with(histogram_of(30, 10, 960), histogram_of(20, 0, 980), {960, 10, 30}));
  EXPECT_NEAR(of.generalised_dice, 60.0 / 70.0, 1e-12);
  const double none = 1 / (1 + std::exp(16.0));
  EXPECT_NEAR(of.soft_dice, 2 * 20 * kHigh / (20 * kHigh + 980 * none + 20), 1e-6);
  // -p log2 p - (1 - p) log2 (1 - p)
  EXPECT_NEAR(of.entropy_inside, 0.527092, 1e-4);
  EXPECT_NEAR(of.shared_by_all, std::cbrt(30 * 0.008) / (std::cbrt(40 * 0.008) + 0.1), 1e-12);
  EXPECT_NEAR(of.root, std::cbrt(30 * 0.008), 1e-12);
  // Of 20 voxels at every threshold up to kHigh, and none above: 0.95 lies above, 0.05 below it.
  const double size = std::cbrt(30 * 0.008) + 0.3;
  EXPECT_NEAR(of.relative_spread, std::cbrt(20 * 0.008) / size, 1e-3);
  // Of 30 voxels down to 1 - kHigh, and of 40 below it.
  const double upper = std::cbrt(40 * 0.008) - std::cbrt(30 * 0.008);
  EXPECT_NEAR(of.passes_upper, upper / size, 1e-3);
  EXPECT_NEAR(of.mean_upper, upper / size, 1e-3);
}

TEST(SegmentationFeatures, OfNothingSayThatNothingIsKnown) {
  const LogitHistogram none = histogram_of(0, 0, 1000);
  const SegmentationFeatures of = features_of(prediction_with(none, none, {1000, 0, 0}));
  EXPECT_EQ(of.generalised_dice, 0) << "not 1: that all find nothing proves nothing";
  EXPECT_NEAR(of.soft_dice, 0, 1e-3);
  EXPECT_EQ(of.entropy_inside, 1);
  EXPECT_EQ(of.root, 0);
}

TEST(SegmentationFeatures, TakeSeveralPassesAndOneWithoutDropout) {
  const LogitHistogram some = histogram_of(30, 10, 960);
  EXPECT_FALSE(has_segmentation_features(prediction_with(some, some, {})));
  EXPECT_FALSE(has_segmentation_features(prediction_with(some, some, {970, 30})));
  RegionPrediction earlier = prediction_with(some, some, {960, 10, 30});
  EXPECT_TRUE(has_segmentation_features(earlier));
  earlier.without_dropout.clear();
  EXPECT_FALSE(has_segmentation_features(earlier));
  EXPECT_THROW(segmentation_features(earlier, {}), Error);
}

}  // namespace
}  // namespace mcvol
