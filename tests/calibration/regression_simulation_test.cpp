#include "mcvol/calibration/coverage.h"
#include "mcvol/calibration/regression_fit.h"

#include <array>
#include <cmath>
#include <random>
#include <string>
#include <tuple>

#include "calibration/brute_force_regression.h"
#include "calibration/synthetic_features.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::Errors;

constexpr int kDraws = 2000;
constexpr double kMostErrors = 3.5;  // standard errors
const std::array kSimulatedLevels{"0.5", "0.8", "0.9"};

const char* name_of(Errors errors) {
  switch (errors) {
    case Errors::kNormal:
      return "normal";
    case Errors::kHeavyTailed:
      return "heavy_tailed";
    case Errors::kSkewed:
      return "skewed";
    case Errors::kBiased:
      return "biased";
    case Errors::kAbsent:
      break;
  }
  return "absent";
}

/// How often what was promised was so, by level.
struct CoveredCounts {
  std::array<int, kSimulatedLevels.size()> in_set{}, in_hull{}, above_lower{}, below_upper{};
};

/// Each draw has a calibration of its own and another scan.
CoveredCounts count_covered(int n, Errors errors) {
  std::mt19937_64 engine(static_cast<unsigned>(1000 * n + static_cast<int>(errors)));
  CoveredCounts counts;
  for (int draw = 0; draw < kDraws; ++draw) {
    auto scans = testing::synthetic_feature_scans(n + 1, errors, engine);
    const RegressionFit::Scan other = scans.back();
    scans.pop_back();
    const RegressionFit fit(std::move(scans));
    const auto passes = RegressionFit::Passes::kAll;
    const auto bounds = fit.root_bounds(other.features, passes);
    const Eigen::ArrayXd t = testing::studentised_residuals(
        fit.rows_with(other.features, passes),
        other.root - RegressionFit::median_of(other.features, passes));
    const auto others = t.tail(n);
    for (std::size_t level = 0; level < kSimulatedLevels.size(); ++level) {
      const std::int64_t k = tail_rank(n, NominalCoverage::parse(kSimulatedLevels[level]));
      const ResidualBounds& of = bounds[static_cast<std::size_t>(k) - 1];
      const bool above = other.root >= of.lower, below = other.root <= of.upper;
      counts.above_lower[level] += above ? 1 : 0;
      counts.below_upper[level] += below ? 1 : 0;
      counts.in_hull[level] += above && below ? 1 : 0;
      counts.in_set[level] += (others <= t[0]).count() >= k && (others >= t[0]).count() >= k;
    }
  }
  return counts;
}

class RegressionSimulation : public ::testing::TestWithParam<std::tuple<int, Errors>> {};

TEST_P(RegressionSimulation, SetsHoldAsOftenAsPromisedAndIntervalsNoLess) {
  const auto [n, errors] = GetParam();
  const CoveredCounts counts = count_covered(n, errors);
  for (std::size_t level = 0; level < kSimulatedLevels.size(); ++level) {
    const std::int64_t k = tail_rank(n, NominalCoverage::parse(kSimulatedLevels[level]));
    const auto errors_from = [](int count, double promised) {
      return (count - kDraws * promised) / std::sqrt(kDraws * promised * (1 - promised));
    };
    const double promised = expected_coverage(n, k), by_side = (1 + promised) / 2;
    const std::string where = std::to_string(n) + " scans, level " + kSimulatedLevels[level];
    // Ties, as of tumours that are absent and not predicted, only make the set larger.
    EXPECT_LE(std::abs(errors_from(counts.in_set[level], promised)), kMostErrors) << where;
    EXPECT_GE(errors_from(counts.in_hull[level], promised), -kMostErrors) << where;
    EXPECT_GE(errors_from(counts.above_lower[level], by_side), -kMostErrors) << where;
    EXPECT_GE(errors_from(counts.below_upper[level], by_side), -kMostErrors) << where;
    RecordProperty(std::string("set_") + kSimulatedLevels[level],
                   std::to_string(errors_from(counts.in_set[level], promised)));
    RecordProperty(std::string("excess_") + kSimulatedLevels[level],
                   std::to_string(counts.in_hull[level] - counts.in_set[level]));
  }
}

INSTANTIATE_TEST_SUITE_P(Cohorts, RegressionSimulation,
                         ::testing::Combine(::testing::Values(19, 50, 200),
                                            ::testing::Values(Errors::kNormal, Errors::kHeavyTailed,
                                                              Errors::kSkewed, Errors::kBiased,
                                                              Errors::kAbsent)),
                         [](const auto& info) {
                           return std::to_string(std::get<0>(info.param)) + "_" +
                                  name_of(std::get<1>(info.param));
                         });

/// SD over calibrations of the share that one of them covers, by the variance of counts less that
/// of `tests` draws.
double spread_of_coverage(int n, std::int64_t k, Errors errors) {
  constexpr int kCalibrations = 300, kTests = 100;
  std::mt19937_64 engine(static_cast<unsigned>(n));
  double sum = 0, squares = 0, within = 0;
  for (int repetition = 0; repetition < kCalibrations; ++repetition) {
    const RegressionFit fit(testing::synthetic_feature_scans(n, errors, engine));
    int covered = 0;
    for (const auto& scan : testing::synthetic_feature_scans(kTests, errors, engine)) {
      const auto bounds = fit.root_bounds(scan.features, RegressionFit::Passes::kAll);
      const ResidualBounds& of = bounds[static_cast<std::size_t>(k) - 1];
      covered += scan.root >= of.lower && scan.root <= of.upper ? 1 : 0;
    }
    const double share = static_cast<double>(covered) / kTests;
    sum += share / kCalibrations;
    squares += share * share / kCalibrations;
    within += share * (1 - share) / (kTests - 1) / kCalibrations;
  }
  return std::sqrt(squares - sum * sum - within);
}

// No theorem says so of full conformal prediction, and calibrate prints it.
TEST(RegressionSpread, OverCalibrationsIsAboutThatOfTheBetaDistribution) {
  for (const Errors errors : {Errors::kNormal, Errors::kHeavyTailed}) {
    for (const int n : {19, 59}) {
      const std::int64_t k = tail_rank(n, NominalCoverage::parse("0.9"));
      const double a = n + 1 - 2 * static_cast<double>(k), b = 2 * static_cast<double>(k);
      const double expected = std::sqrt(a * b / ((a + b) * (a + b) * (a + b + 1)));
      EXPECT_NEAR(spread_of_coverage(n, k, errors) / expected, 1, 0.2) << n << name_of(errors);
    }
  }
}

}  // namespace
}  // namespace mcvol
