#include "mcvol/volumetry/conversion.h"

#include "mcvol/error/error.h"

#include <cmath>
#include <limits>

#include "support/infinity.h"
#include "volumetry/test_voxels.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

TEST(MonotoneCurve, InverseUndoesValue) {
  std::vector<double> values;
  for (int j = 0; j <= 40; ++j) values.push_back(std::exp(0.3 * j));
  const MonotoneCurve curve(-2, 0.1, values);
  for (double x = -1.999; x < 2; x += 0.0137) {
    EXPECT_NEAR(curve.inverse(curve.value(x)), x, 1e-10);
    // (3 h)^4 / 384 from the cubic, and 4 / 27 h of the slopes' (3 h)^4 / 30; lower order at the
    // ends.
    const double tolerance = std::abs(x) < 1.8 ? 1e-4 : 3e-3;
    EXPECT_NEAR(curve.value(x) / std::exp(3 * (x + 2)), 1, tolerance);
  }
}

TEST(MonotoneCurve, NeverTurnsBetweenUnevenKnots) {
  const MonotoneCurve curve(0, 1, {0, 0, 0, 1, 1.001, 50, 50, 50, 51});
  double before = curve.value(0);
  for (double x = 0; x <= 8; x += 0.001) {
    EXPECT_GE(curve.value(x), before - 1e-12);
    before = curve.value(x);
  }
}

TEST(MonotoneCurve, InverseOnAPlateauIsItsRightEndAndInfiniteBeyondTheValues) {
  const MonotoneCurve curve(0, 1, {2, 3, 3, 3, 4, 4});
  EXPECT_EQ(curve.inverse(3), 3);
  EXPECT_EQ(curve.inverse(1.9), -kInfinity);
  EXPECT_EQ(curve.inverse(4), kInfinity);
  EXPECT_EQ(curve.value(-kInfinity), 2);
  EXPECT_EQ(curve.value(kInfinity), 4);
  EXPECT_THROW(MonotoneCurve(0, 1, {1}), Error);
  EXPECT_THROW(MonotoneCurve(0, 0, {1, 2}), Error);
}

TEST(LevelSetCounts, MatchVoxelsCountedOneByOne) {
  const auto logits = scan_logits(500000, 200000, 1.0);
  const auto p = sorted_probabilities(logits);
  const auto counts = level_set_counts(histogram_of(logits));
  for (int n = 0; n < kHistogramNodes; ++n) {
    const double expected = count_above(p, histogram_nodes().probabilities[n]);
    // Where ball and background end (nodes 61 and 73) the count has a kink inside an interval.
    const bool near_kink = std::abs(n - 61) <= 2 || std::abs(n - 73) <= 2;
    const double tolerance = near_kink ? 5e-3 : 5e-4;
    EXPECT_NEAR(counts[n], expected, tolerance * expected + 1) << "node " << n;
    if (n > 0) EXPECT_LE(counts[n], counts[n - 1]);
  }
}

TEST(LevelSetCounts, AtOneHalfTheCountIsExact) {
  const LogitHistogram histogram = histogram_of(scan_logits(2000, 5000, 1.0));
  EXPECT_EQ(level_set_counts(histogram)[128], static_cast<double>(histogram.above_half()));
}

TEST(LevelSetCounts, VoxelsOfOneProbabilityMakeOneStep) {
  const LogitHistogram histogram = histogram_of(std::vector<float>(1000, 2.3f));
  const auto counts = level_set_counts(histogram);
  EXPECT_EQ(counts[128], 1000);
  EXPECT_EQ(counts[128 + 8 * 2], 1000);
  EXPECT_EQ(counts[128 + 8 * 3], 0);
}

TEST(CopulaCurves, EveryPassHasTheVolumesOfItsOwnHistogram) {
  const std::vector<LogitHistogram> passes{histogram_of(scan_logits(1000, 3000, 0.9)),
                                           histogram_of(scan_logits(1000, 3000, 1.1))};
  for (const double rho : {0.1, 0.95, 0.995}) {
    const auto both = copula_curves(passes, 0.002, rho);
    ASSERT_EQ(both.size(), 2u);
    for (std::size_t pass = 0; pass < 2; ++pass) {
      const auto alone = copula_curves(std::span(passes).subspan(pass, 1), 0.002, rho);
      EXPECT_NEAR(both[pass].volume_ml.value(0.3), alone[0].volume_ml.value(0.3), 1e-12);
      EXPECT_EQ(both[pass].mean_ml, passes[pass].probability_sum() * 0.002);
      EXPECT_EQ(both[pass].volume_ml.value(-kInfinity), 0);
      EXPECT_NEAR(both[pass].volume_ml.value(kInfinity), 8.0, 1e-9);
    }
  }
}

}  // namespace
}  // namespace mcvol
