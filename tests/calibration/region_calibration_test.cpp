#include "mcvol/calibration/calibrated_volume.h"
#include "mcvol/calibration/interval_scores.h"
#include "mcvol/calibration/scores.h"
#include "mcvol/error/error.h"

#include <algorithm>
#include <cmath>

#include "calibration/synthetic_scans.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::prediction_of;
using testing::synthetic_scans;
using testing::SyntheticScan;
using testing::SyntheticTruth;

std::vector<CalibrationScan> calibration_scans(const std::vector<SyntheticScan>& scans) {
  std::vector<CalibrationScan> all;
  for (const SyntheticScan& scan : scans) {
    all.push_back(calibration_scan(prediction_of(scan), scan.truth_ml));
  }
  return all;
}

const std::vector<CalibrationScan>& usual_scans() {
  static const auto scans = calibration_scans(synthetic_scans(160, 3));
  return scans;
}

RegionCalibration usual_calibration(const std::vector<double>& edges) {
  RegionCalibration region = fit_region("whole", edges, usual_scans());
  region.width_level = NominalCoverage::parse("0.9");
  region.most_usual_width = 100;
  return region;
}

TEST(FitRegion, StrataGoByPredictedVolume) {
  const RegionCalibration region = usual_calibration({7});
  ASSERT_EQ(region.strata.size(), 2u);
  const auto below = std::count_if(usual_scans().begin(), usual_scans().end(),
                                   [](const auto& scan) { return scan.predicted_ml < 7; });
  EXPECT_EQ(region.strata[0].n(), below);
  EXPECT_EQ(region.strata[1].n(), 160 - below);
  EXPECT_EQ(&region.stratum_of(6.999), &region.strata[0]);
  EXPECT_EQ(&region.stratum_of(7), &region.strata[1]);
  EXPECT_EQ(&region.stratum_of(1000), &region.strata[1]);
}

TEST(FitRegion, TooSmallAStratumIsNamed) {
  try {
    fit_region("whole", std::vector{1.0}, usual_scans());
    FAIL() << "took it";
  } catch (const CalibrationError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("whole: the stratum from 0 ml has "), std::string::npos) << message;
    EXPECT_NE(message.find("expected at least 50"), std::string::npos) << message;
  }
  EXPECT_THROW(fit_region("whole", {}, {}), CalibrationError);
}

TEST(FitRegion, LeavesOutPassesWithoutDropoutWhereAScanLacksThem) {
  auto scans = usual_scans();
  std::erase_if(scans[5].scores, [](const auto& of) { return of.first == ScoreKind::kNoDropout; });
  const RegionCalibration region = fit_region("whole", {}, scans);
  EXPECT_EQ(region.strata[0].fit(ScoreKind::kNoDropout), nullptr);
  EXPECT_NE(region.strata[0].fit(ScoreKind::kConformal), nullptr);
}

TEST(FitRegion, LeavesOutTheRegressionWhereAScanLacksWhatItTakes) {
  auto scans = usual_scans();
  EXPECT_TRUE(fit_region("whole", {}, scans).strata[0].has(IntervalMethod::kRegression));
  scans[5].regression.reset();
  const RegionCalibration region = fit_region("whole", {}, scans);
  EXPECT_FALSE(region.strata[0].has(IntervalMethod::kRegression));
  EXPECT_FALSE(region.strata[0].has(IntervalMethod::kRegressionNoDropout));
  EXPECT_TRUE(region.strata[0].has(IntervalMethod::kScaled));
  const auto levels = parse_levels({"0.9"});
  EXPECT_THROW(estimate_volume(prediction_of(synthetic_scans(1, 77).front()), region,
                               IntervalMethod::kRegression, levels),
               CalibrationError);
}

TEST(EstimateVolume, ByRegressionNeedsAPassWithoutDropout) {
  const RegionCalibration region = usual_calibration({});
  RegionPrediction scan = prediction_of(synthetic_scans(1, 77).front());
  scan.without_dropout.clear();
  try {
    estimate_volume(scan, region, IntervalMethod::kRegression, parse_levels({"0.9"}));
    FAIL() << "took it";
  } catch (const CalibrationError& error) {
    EXPECT_NE(std::string(error.what()).find("no pass without dropout or no agreement"),
              std::string::npos);
  }
  EXPECT_NO_THROW(estimate_volume(scan, region, IntervalMethod::kScaled, parse_levels({"0.9"})));
}

TEST(EstimateVolume, FlagsWhatTheCalibrationDoesNotKnow) {
  RegionCalibration region = usual_calibration({});
  const auto levels = parse_levels({"0.8", "0.9"});
  const SyntheticScan scan = synthetic_scans(1, 77).front();
  const auto estimate = [&] {
    return estimate_volume(prediction_of(scan), region, IntervalMethod::kConformal, levels);
  };
  EXPECT_FALSE(estimate().outside_range);
  EXPECT_FALSE(estimate().uncertain);
  region.most_usual_width = root_width(estimate().intervals[1]) * 0.99;
  EXPECT_TRUE(estimate().uncertain);
  region.least_predicted_ml = predicted_volume_ml(prediction_of(scan)) * 1.01;
  EXPECT_TRUE(estimate().outside_range);
}

TEST(EstimateVolume, LevelThatTheReferencesDoNotReachIsNamed) {
  const RegionCalibration region = usual_calibration({});
  const auto levels = parse_levels({"0.99"});
  const SyntheticScan scan = synthetic_scans(1, 77).front();
  EXPECT_THROW(estimate_volume(prediction_of(scan), region, IntervalMethod::kConformal, levels),
               CalibrationError);
  // Empirical quantiles always give something, which does not cover what it says.
  EXPECT_NO_THROW(estimate_volume(prediction_of(scan), region, IntervalMethod::kQuantile, levels));
}

TEST(EstimateVolume, WiderWhereThePassesAreLessSureButForSizeOnly) {
  const RegionCalibration region = usual_calibration({});
  const auto levels = parse_levels({"0.9"});
  const auto with_edges = [](double softness) {
    return prediction_of({"scan", {testing::ball_histogram(9, softness)}, 0});
  };
  for (const IntervalMethod method : kIntervalMethods) {
    if (method == IntervalMethod::kLevelSets) continue;
    const double sharp =
        root_width(estimate_volume(with_edges(0.1), region, method, levels).intervals[0]);
    const double soft =
        root_width(estimate_volume(with_edges(0.6), region, method, levels).intervals[0]);
    if (method == IntervalMethod::kSizeOnly) {
      EXPECT_NEAR(soft, sharp, 0.02);
    } else {
      EXPECT_GT(soft, 1.5 * sharp) << to_string(method);
    }
  }
}

/// Sums over 100 scans by a calibration on 200 others: before it (rho = 0.5), and after.
std::pair<double, double> crps_before_and_after(const SyntheticTruth& truth,
                                                IntervalMethod method) {
  const auto scans = synthetic_scans(300, 9, truth);
  const RegionCalibration region =
      fit_region("whole", {}, calibration_scans({scans.begin(), scans.begin() + 200}));
  double before = 0, after = 0;
  for (int n = 200; n < 300; ++n) {
    const RegionPrediction scan = prediction_of(scans[n]);
    const CalibratedVolume volume(scan, region, method);
    const auto crps = volume.distribution().crps(scans[n].truth_ml);
    EXPECT_GE(crps.root, 0);
    EXPECT_GE(crps.ml, 0);
    after += crps.root;
    before +=
        testing::scores_of(scans[n], ScoreKind::kConformal, {0.5}).front().crps(scans[n].truth_ml);
  }
  return {before, after};
}

TEST(CalibratedCrps, IsSmallerWhereTheDistributionIsRight) {
  const auto [before, after] = crps_before_and_after({}, IntervalMethod::kConformal);
  EXPECT_LT(after, before);
}

TEST(CalibratedCrps, IsSmallerByEveryMethodWhereVolumesAreBiased) {
  for (const IntervalMethod method : kCalibrationMethods) {
    const auto [before, after] = crps_before_and_after({1.15, false, 0}, method);
    EXPECT_LT(after, before) << to_string(method);
  }
}

TEST(IntervalMethods, HaveNamesThatLeadBack) {
  for (const IntervalMethod method : kIntervalMethods) {
    EXPECT_EQ(interval_method_from(to_string(method)), method);
  }
  EXPECT_THROW(interval_method_from("best"), UsageError);
}

TEST(Summary, IsOfCountsAndMeans) {
  std::vector<ScoredInterval> scored(4);
  for (int n = 0; n < 4; ++n) {
    scored[n].covered = n != 2;
    scored[n].width_ml = n;
    scored[n].error_ml = n == 0 ? -4 : 0;
  }
  const CoverageSummary summary = summary_of(scored);
  EXPECT_EQ(summary.n, 4);
  EXPECT_EQ(summary.covered, 3);
  EXPECT_EQ(summary.coverage, 0.75);
  EXPECT_EQ(summary.mean_width_ml, 1.5);
  EXPECT_EQ(summary.bias_ml, -1);
  EXPECT_NEAR(summary.coverage_range.lower, 0.1941, 1e-4);
  EXPECT_EQ(summary_of({}).n, 0);
}

TEST(PairedRatio, HoldsTheRatioOfWhatWasMadeWithIt) {
  std::vector<double> a, b;
  for (int n = 0; n < 400; ++n) {
    b.push_back(1 + std::abs(std::sin(n)));
    a.push_back(0.8 * b.back() + 0.1 * std::sin(7.0 * n));
  }
  const PairedRatio ratio = paired_ratio(a, b);
  EXPECT_LT(ratio.range.lower, 0.8);
  EXPECT_GT(ratio.range.upper, 0.8);
  EXPECT_NEAR(ratio.range.upper - ratio.range.lower, 4 * 0.1 / std::sqrt(2.0) / 20 / 1.64, 0.003);
  EXPECT_EQ(paired_ratio(b, b).ratio, 1);
  EXPECT_EQ(paired_ratio(b, b).range.lower, 1);
  EXPECT_THROW(paired_ratio({}, {}), Error);
}

TEST(ScoreIntervals, OfLevelSetsNeedNoCalibration) {
  const SyntheticScan scan = synthetic_scans(1, 5).front();
  const auto levels = parse_levels({"0.5", "0.9"});
  const auto scored = score_intervals(prediction_of(scan), scan.truth_ml, nullptr,
                                      IntervalMethod::kLevelSets, levels);
  ASSERT_EQ(scored.size(), 2u);
  const VolumeDistribution raw(scan.passes, testing::kSyntheticVoxelMl, {});
  EXPECT_DOUBLE_EQ(scored[1].interval.lower_ml, raw.quantile(0.05));
  EXPECT_DOUBLE_EQ(scored[1].interval.upper_ml, raw.quantile(0.95));
  EXPECT_GE(scored[1].interval_score_ml, scored[1].width_ml);
  EXPECT_GT(scored[0].crps_ml, 0);
}

}  // namespace
}  // namespace mcvol
