#include "mcvol/quality/batch_comparison.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <cmath>

#include "quality/drawn_scans.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing_support::drawn_scan;
using testing_support::drawn_scans;
using testing_support::ScanKind;

const std::vector<std::string> kChannels{"t1", "t2", "flair"};

/// Kolmogorov and Smirnov's distance of p-values from the uniform distribution.
double distance_from_uniform(std::vector<double> p_values) {
  std::sort(p_values.begin(), p_values.end());
  const auto n = static_cast<double>(p_values.size());
  double most = 0;
  for (std::size_t i = 0; i < p_values.size(); ++i) {
    most = std::max({most, std::abs(static_cast<double>(i + 1) / n - p_values[i]),
                     std::abs(static_cast<double>(i) / n - p_values[i])});
  }
  return most;
}

TEST(BatchComparison, OfScansDrawnAlikeIsUniform) {
  constexpr int kDraws = 400;
  std::mt19937_64 generator(17);
  for (const ScanKind& kind : {ScanKind{}, ScanKind{.heavy = true, .missing = 0.8}}) {
    std::vector<double> p_values;
    for (int draw = 0; draw < kDraws; ++draw) {
      const auto calibration = drawn_scans(generator, 30, kind);
      const auto batch = drawn_scans(generator, 10, kind);
      p_values.push_back(compare_batch(calibration, batch, kChannels).p_value);
    }
    // 1.63 / sqrt(n) is exceeded by 1 % of uniform samples.
    EXPECT_LT(distance_from_uniform(p_values), 1.63 / std::sqrt(kDraws));
    for (const double level : {0.01, 0.05}) {
      const auto found =
          std::count_if(p_values.begin(), p_values.end(), [&](double p) { return p <= level; });
      const double spread = std::sqrt(kDraws * level * (1 - level));
      EXPECT_NEAR(static_cast<double>(found), kDraws * level, 3.5 * spread) << level;
    }
  }
}

TEST(BatchComparison, MoreNoiseIsFoundAndNamed) {
  std::mt19937_64 generator(5);
  const auto calibration = drawn_scans(generator, 100);
  const auto noisy = drawn_scans(generator, 30, {.noise = 0.15});
  for (const bool turned : {false, true}) {
    const BatchComparison comparison = turned ? compare_batch(noisy, calibration, kChannels)
                                              : compare_batch(calibration, noisy, kChannels);
    EXPECT_LT(comparison.p_value, 0.01);
    ASSERT_FALSE(comparison.differences.empty());
    const auto& first = comparison.differences.front();
    EXPECT_EQ(first.number.substr(0, 7), "noise (");
    EXPECT_FALSE(first.scatter);
    EXPECT_EQ(first.z > 0, !turned);
    EXPECT_GT(std::abs(first.z), 3);
  }
}

TEST(BatchComparison, WiderScatterAboutTheSameCentreIsFound) {
  std::mt19937_64 generator(6);
  const auto calibration = drawn_scans(generator, 100);
  const auto wide = drawn_scans(generator, 40, {.scatter = 1.6});
  const BatchComparison comparison = compare_batch(calibration, wide, kChannels);
  EXPECT_LT(comparison.p_value, 0.01);
  EXPECT_TRUE(comparison.differences.front().scatter);
  EXPECT_GT(comparison.differences.front().z, 0);
}

TEST(BatchComparison, OfTheSameScansTwiceFindsNothing) {
  std::mt19937_64 generator(8);
  const auto scans = drawn_scans(generator, 20);
  EXPECT_DOUBLE_EQ(compare_batch(scans, scans, kChannels).p_value, 1);
  // Of a single scan there are 21 arrangements.
  const ImageQuality one = drawn_scan(generator);
  EXPECT_GE(compare_batch(scans, {{one}}, kChannels).p_value, 0.03);
}

TEST(BatchComparison, NothingToCompareIsRefused) {
  std::mt19937_64 generator(9);
  const auto scans = drawn_scans(generator, 3);
  EXPECT_THROW(compare_batch({}, scans, kChannels), Error);
  EXPECT_THROW(compare_batch(scans, {}, kChannels), Error);
  EXPECT_THROW(compare_batch(scans, scans, {"t1"}), Error);
}

}  // namespace
}  // namespace mcvol
