#include "mcvol/calibration/weighted_sample.h"

#include "mcvol/error/error.h"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

namespace mcvol {
namespace {

TEST(WeightedSample, CrpsOfOnePointIsItsDistance) {
  EXPECT_DOUBLE_EQ(WeightedSample({2.0}, {1.0}).crps(5.0), 3.0);
  EXPECT_DOUBLE_EQ(WeightedSample({2.0}, {1.0}).crps(2.0), 0.0);
  EXPECT_DOUBLE_EQ(WeightedSample({2.0}, {1.0}).crps(-1.0), 3.0);
}

// Gneiting and Raftery (2007), equation 21: sigma (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi)).
TEST(WeightedSample, CrpsOfManyPointsIsThatOfTheNormalTheyStandFor) {
  std::vector<double> points, weights;
  constexpr int kHalf = 3000;
  double sum = 0;
  for (int j = -kHalf; j <= kHalf; ++j) {
    const double z = 8.0 * j / kHalf;
    points.push_back(10 + 2 * z);
    weights.push_back(std::exp(-z * z / 2));
    sum += weights.back();
  }
  for (double& weight : weights) weight /= sum;
  const WeightedSample sample(points, weights);
  for (const double value : {4.0, 9.0, 10.0, 12.5, 30.0}) {
    const double z = (value - 10) / 2;
    const double expected = 2 * (z * std::erf(z / std::numbers::sqrt2) +
                                 2 * std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi) -
                                 1 / std::sqrt(std::numbers::pi));
    EXPECT_NEAR(sample.crps(value), expected, 1e-6) << value;
  }
  EXPECT_NEAR(sample.mean(), 10, 1e-9);
  EXPECT_NEAR(sample.sd(), 2, 1e-6);
}

TEST(WeightedSample, QuantileIsTheFirstPointThatReachesTheProbability) {
  const WeightedSample sample({3.0, 1.0, 2.0}, {0.25, 0.25, 0.5});
  EXPECT_EQ(sample.quantile(0.0), 1.0);
  EXPECT_EQ(sample.quantile(0.25), 1.0);
  EXPECT_EQ(sample.quantile(0.26), 2.0);
  EXPECT_EQ(sample.quantile(0.75), 2.0);
  EXPECT_EQ(sample.quantile(1.0), 3.0);
}

TEST(WeightedSample, RefusesPointsWithoutWeights) {
  EXPECT_THROW(WeightedSample({}, {}), Error);
  EXPECT_THROW(WeightedSample({1.0, 2.0}, {1.0}), Error);
}

TEST(LeastVolume, IsAVoxelButNotBelowATwentiethOfAMillilitre) {
  EXPECT_EQ(least_volume_ml(0.001), 0.05);
  EXPECT_EQ(least_volume_ml(0.125), 0.125);
  EXPECT_EQ(root_of(0.05, 0.05), 0.0);
  EXPECT_DOUBLE_EQ(root_of(8.0, 0.05), 2.0);
}

}  // namespace
}  // namespace mcvol
