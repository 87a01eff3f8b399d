#include "mcvol/volumetry/logit_histogram.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "support/infinity.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

std::vector<float> random_logits(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> logit(-4.0f, 6.0f);
  std::vector<float> logits(count);
  for (float& value : logits) value = logit(random);
  return logits;
}

LogitHistogram histogram_of(std::span<const float> logits) {
  LogitHistogram histogram;
  histogram.add(logits);
  return histogram;
}

std::int64_t weight_sum(const LogitHistogram& histogram) {
  return std::accumulate(histogram.weights().begin(), histogram.weights().end(), std::int64_t{0});
}

TEST(HistogramNodes, AreEquallySpacedInLogitWithTheirProbabilities) {
  const HistogramNodes& nodes = histogram_nodes();
  for (int n = 0; n < kHistogramNodes; ++n) {
    const double logit = (n - 128) / 8.0;
    EXPECT_EQ(nodes.logits[n], logit);
    EXPECT_NEAR(nodes.probabilities[n] * (1 + std::exp(-logit)), 1, 1e-15);
    EXPECT_NEAR(nodes.complements[n] * (1 + std::exp(logit)), 1, 1e-15);
  }
}

TEST(LogitHistogram, KeepsTheVoxelCountAndTheCountAboveHalfExactly) {
  const auto logits = random_logits(100003, 1);
  const LogitHistogram histogram = histogram_of(logits);
  EXPECT_EQ(histogram.voxel_count(), 100003);
  EXPECT_EQ(weight_sum(histogram), 100003 * kVoxelWeight);
  EXPECT_EQ(histogram.above_half(),
            std::count_if(logits.begin(), logits.end(), [](float x) { return x > 0; }));
  EXPECT_GE(*std::min_element(histogram.weights().begin(), histogram.weights().end()), 0);
}

TEST(LogitHistogram, KeepsTheSumOfProbabilitiesToRounding) {
  std::vector<float> logits = random_logits(200000, 2);
  for (float& logit : logits) logit = std::clamp(logit, -16.0f, 16.0f);
  double expected = 0;
  double complement = 0;
  for (const float logit : logits) {
    expected += 1 / (1 + std::exp(-static_cast<double>(logit)));
    complement += 1 / (1 + std::exp(static_cast<double>(logit)));
  }
  const LogitHistogram histogram = histogram_of(logits);
  // A weight is rounded to 2^-17 voxel, times at most 1/32 between neighbouring nodes: 2.4e-7 a
  // voxel, of random sign.
  EXPECT_NEAR(histogram.probability_sum(), expected, 2.4e-7 * std::sqrt(200000.0));
  EXPECT_NEAR(200000 - histogram.probability_sum(), complement, 2.4e-7 * std::sqrt(200000.0));
}

TEST(LogitHistogram, EveryOrderPartitionAndWayOfAddingGivesTheSameCounts) {
  auto logits = random_logits(5000, 3);
  const LogitHistogram whole = histogram_of(logits);
  std::shuffle(logits.begin(), logits.end(), std::mt19937(4));
  EXPECT_EQ(histogram_of(logits), whole);
  LogitHistogram one_by_one;
  for (const float logit : logits) one_by_one.add(logit);
  EXPECT_EQ(one_by_one, whole);
  LogitHistogram parts = histogram_of(std::span(logits).subspan(0, 1234));
  parts += histogram_of(std::span(logits).subspan(1234));
  EXPECT_EQ(parts, whole);
}

TEST(LogitHistogram, ComplementsMirrorEachOther) {
  auto logits = random_logits(20000, 5);
  const LogitHistogram histogram = histogram_of(logits);
  for (float& logit : logits) logit = -logit;
  const LogitHistogram mirrored = histogram_of(logits);
  EXPECT_TRUE(std::equal(histogram.weights().begin(), histogram.weights().end(),
                         mirrored.weights().rbegin()));
}

TEST(LogitHistogram, AVoxelOnANodeStaysThere) {
  for (int n = 0; n < kHistogramNodes; ++n) {
    LogitHistogram histogram;
    histogram.add(static_cast<float>(n - 128) / 8);
    EXPECT_EQ(histogram.weights()[n], kVoxelWeight) << "node " << n;
  }
}

TEST(LogitHistogram, SplitsLinearlyInProbabilityBelowHalfAndInItsComplementAbove) {
  const auto p = [](double logit) { return 1 / (1 + std::exp(-logit)); };
  LogitHistogram below;
  below.add(-2.06f);  // between nodes 111 (-2.125) and 112 (-2)
  const double fraction = (p(-2.06f) - p(-2.125)) / (p(-2) - p(-2.125));
  EXPECT_NEAR(static_cast<double>(below.weights()[112]), 65536 * fraction, 0.51);
  EXPECT_EQ(below.weights()[111] + below.weights()[112], kVoxelWeight);
  LogitHistogram above;
  above.add(2.06f);
  EXPECT_EQ(above.weights()[144], below.weights()[112]);
}

TEST(LogitHistogram, BeyondTheLimitsAVoxelGoesToTheEndNode) {
  const LogitHistogram histogram = histogram_of(
      std::vector<float>{-kFloatInfinity, -1e30f, -16.01f, 16.01f, 3e38f, kFloatInfinity});
  EXPECT_EQ(histogram.weights().front(), 3 * kVoxelWeight);
  EXPECT_EQ(histogram.weights().back(), 3 * kVoxelWeight);
  EXPECT_EQ(histogram.above_half(), 3);
}

TEST(LogitHistogram, ExactlyHalfIsNotAboveHalf) {
  const float least = std::numeric_limits<float>::denorm_min();
  EXPECT_EQ(histogram_of(std::vector<float>{0.0f, -0.0f, -least}).above_half(), 0);
  EXPECT_EQ(histogram_of(std::vector<float>{least}).above_half(), 1);
}

TEST(LogitHistogram, NaNIsRefusedAndNothingIsAdded) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  LogitHistogram histogram;
  EXPECT_THROW(histogram.add(nan), InputError);
  std::vector<float> logits(2000, 1.0f);
  logits[1999] = nan;
  EXPECT_THROW(histogram.add(logits), InputError);
  EXPECT_EQ(histogram, LogitHistogram());
}

TEST(LogitHistogram, ComesBackFromItsWeights) {
  const LogitHistogram histogram = histogram_of(random_logits(3000, 6));
  EXPECT_EQ(LogitHistogram::from_weights(histogram.weights(), histogram.above_half()), histogram);
}

TEST(LogitHistogram, WeightsThatCannotBeAHistogramAreRefused) {
  std::array<std::int64_t, kHistogramNodes> weights{};
  weights[3] = kVoxelWeight + 1;
  EXPECT_THROW(LogitHistogram::from_weights(weights, 0), InputError);
  weights[4] = -1;
  EXPECT_THROW(LogitHistogram::from_weights(weights, 0), InputError);
  weights[3] = kVoxelWeight;
  weights[4] = 0;
  EXPECT_NO_THROW(LogitHistogram::from_weights(weights, 1));
  EXPECT_THROW(LogitHistogram::from_weights(weights, 2), InputError);
  EXPECT_THROW(LogitHistogram::from_weights(weights, -1), InputError);
}

// Guards the bytes of records: a change of any of these sums changes every record.
TEST(LogitHistogram, GoldenWeightsStayAsTheyAre) {
  std::vector<float> logits;
  for (int i = -2000; i <= 2000; ++i) logits.push_back(static_cast<float>(i) * 0.00830078125f);
  const LogitHistogram histogram = histogram_of(logits);
  std::uint64_t hash = 0;
  for (const std::int64_t weight : histogram.weights()) {
    hash = hash * 6364136223846793005u + static_cast<std::uint64_t>(weight);
  }
  EXPECT_EQ(hash, 16057622901257297312u);
}

}  // namespace
}  // namespace mcvol
