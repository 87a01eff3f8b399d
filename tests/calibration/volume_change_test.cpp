#include "mcvol/calibration/volume_change.h"

#include "mcvol/calibration/coverage.h"
#include "mcvol/error/error.h"
#include "mcvol/volumetry/normal.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "calibration/synthetic_scans.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::SyntheticScan;

/// Quantiles i / (n + 1) of a normal distribution.
std::vector<double> normal_points(int n, double mean, double sd) {
  std::vector<double> points;
  for (int i = 1; i <= n; ++i) points.push_back(mean + sd * probit(i / (n + 1.0)));
  return points;
}

TEST(CorrelatedChange, OfNormalVolumesIsNormalWithTheVarianceOfTheDifference) {
  const auto levels = parse_levels({"0.5", "0.9"});
  const auto before = normal_points(9999, 20, 3);
  const auto after = normal_points(9999, 25, 4);
  for (const double r : {-0.5, 0.0, 0.6, 1.0}) {
    SCOPED_TRACE(r);
    const double sd = std::sqrt(9 + 16 - 2 * r * 12);
    const VolumeChange change = correlated_change(before, after, r, 0, levels);
    EXPECT_NEAR(change.change_ml, 5, 0.03);
    EXPECT_NEAR(change.intervals[0].lower_ml, 5 - 0.67449 * sd, 0.03);
    EXPECT_NEAR(change.intervals[0].upper_ml, 5 + 0.67449 * sd, 0.03);
    EXPECT_NEAR(change.intervals[1].lower_ml, 5 - 1.64485 * sd, 0.06);
    EXPECT_NEAR(change.intervals[1].upper_ml, 5 + 1.64485 * sd, 0.06);
    EXPECT_NEAR(change.p_growth, normal_cdf(5 / sd), 0.002);
    EXPECT_NEAR(change.p_growth + change.p_shrinkage + change.p_tie, 1, 1e-12);
  }
}

TEST(CorrelatedChange, ThresholdIsRelativeToTheBaseline) {
  const std::vector<double> before{10, 10, 10};
  const std::vector<double> by_a_third{13, 13, 13};
  EXPECT_DOUBLE_EQ(correlated_change(before, by_a_third, 0, 0.25, {}).p_growth, 0.75);
  EXPECT_DOUBLE_EQ(correlated_change(before, by_a_third, 0, 0.4, {}).p_growth, 0.25);
  EXPECT_DOUBLE_EQ(correlated_change(before, by_a_third, 0, 0.4, {}).p_tie, 0.5);
  const std::vector<double> to_half{5, 5, 5};
  EXPECT_DOUBLE_EQ(correlated_change(before, to_half, 0, 0.4, {}).p_shrinkage, 0.75);
  EXPECT_DOUBLE_EQ(correlated_change(before, to_half, 0, 0.6, {}).p_shrinkage, 0.25);
}

TEST(CorrelatedChange, AbsentTwiceIsATieAndNewTumourIsGrowth) {
  const std::vector<double> absent(19, 0.0);
  EXPECT_DOUBLE_EQ(correlated_change(absent, absent, 0, 0, {}).p_tie, 0.9);
  const std::vector<double> there(19, 2.0);
  EXPECT_DOUBLE_EQ(correlated_change(absent, there, 0, 0.4, {}).p_growth, 0.95);
  EXPECT_THROW(correlated_change(absent, {}, 0, 0, {}), Error);
  EXPECT_THROW(correlated_change(absent, there, 1.5, 0, {}), Error);
}

TEST(CorrelatedChange, TheOtherWayRoundIsTheNegative) {
  const auto levels = parse_levels({"0.8"});
  const auto before = normal_points(99, 20, 3);
  const auto after = normal_points(99, 22, 5);
  const VolumeChange forth = correlated_change(before, after, 0.3, 0, levels);
  const VolumeChange back = correlated_change(after, before, 0.3, 0, levels);
  EXPECT_NEAR(forth.change_ml, -back.change_ml, 0.01);
  EXPECT_NEAR(forth.intervals[0].lower_ml, -back.intervals[0].upper_ml, 0.01);
  EXPECT_NEAR(forth.p_growth, back.p_shrinkage, 0.002);
}

TEST(BonferroniLevel, IsExact) {
  const NominalCoverage each = bonferroni_level(NominalCoverage::parse("0.9"));
  EXPECT_DOUBLE_EQ(each.value, 0.95);
  EXPECT_EQ(each.text, "0.95");
  EXPECT_EQ(bonferroni_level(NominalCoverage::parse("0.99")).text, "0.995");
  EXPECT_EQ(tail_rank(39, each), 1);  // as for 0.95, which a double would miss
  EXPECT_EQ(tail_rank(38, each), 0);
}

/// Calibrated on 400 scans; pairs of others as if they were of one subject.
class ChangeOfScans : public ::testing::TestWithParam<IntervalMethod> {
 protected:
  static constexpr int kCalibration = 400;
  static constexpr int kPairs = 400;

  void SetUp() override {
    std::vector<CalibrationScan> known;
    scans_ = testing::synthetic_scans(kCalibration + 2 * kPairs, 11, {1.1, false, 0.05});
    for (int n = 0; n < kCalibration; ++n) {
      known.push_back(calibration_scan(prediction(n), scans_[n].truth_ml));
    }
    calibration_ = fit_region("whole", {}, known);
    calibration_.width_level = NominalCoverage::parse("0.9");
  }
  RegionPrediction prediction(int n) const { return testing::prediction_of(scans_[n]); }
  std::vector<double> points_of(const RegionPrediction& scan) const {
    return CalibratedVolume(scan, calibration_, GetParam()).distribution().points_ml();
  }
  int baseline(int pair) const { return kCalibration + 2 * pair; }
  int followup(int pair) const { return baseline(pair) + 1; }
  double true_change(int pair) const {
    return scans_[followup(pair)].truth_ml - scans_[baseline(pair)].truth_ml;
  }

  std::vector<SyntheticScan> scans_;
  RegionCalibration calibration_;
};

TEST_P(ChangeOfScans, IntervalsHoldAndProbabilitiesOfGrowthAreTrue) {
  const auto levels = parse_levels({"0.8"});
  const std::vector<NominalCoverage> each{bonferroni_level(levels[0])};
  int independent = 0;
  int bonferroni = 0;
  int likely = 0;
  int grew_of_likely = 0;
  double expected = 0;
  for (int pair = 0; pair < kPairs; ++pair) {
    const RegionPrediction before = prediction(baseline(pair));
    const RegionPrediction after = prediction(followup(pair));
    const IntervalMethod method = GetParam();
    const VolumeChange change =
        correlated_change(points_of(before), points_of(after), 0, 0, levels);
    const VolumeChange wide = bonferroni_change(estimate_volume(before, calibration_, method, each),
                                                estimate_volume(after, calibration_, method, each));
    const auto covers = [&](const VolumeChange& of) {
      return of.intervals[0].lower_ml <= true_change(pair) &&
             true_change(pair) <= of.intervals[0].upper_ml;
    };
    independent += covers(change) ? 1 : 0;
    bonferroni += covers(wide) ? 1 : 0;
    if (change.p_growth > 0.3 && change.p_growth < 0.9) {
      ++likely;
      expected += change.p_growth;
      grew_of_likely += true_change(pair) > 0 ? 1 : 0;
    }
  }
  // The change combines two intervals that each hold on average; no rank theorem of its own.
  EXPECT_GT(independent, kPairs * 0.74);
  EXPECT_LT(independent, kPairs * 0.88);
  EXPECT_GT(bonferroni, kPairs * 0.8);
  EXPECT_GT(bonferroni, independent);
  ASSERT_GT(likely, 40);
  EXPECT_NEAR(grew_of_likely, expected, 3.3 * std::sqrt(likely) / 2);
}

TEST_P(ChangeOfScans, PointsAreTheConformalQuantiles) {
  const auto levels = parse_levels({"0.8"});
  const RegionPrediction scan = prediction(kCalibration);
  const auto points = points_of(scan);
  ASSERT_EQ(points.size(), static_cast<std::size_t>(kCalibration));
  EXPECT_TRUE(std::is_sorted(points.begin(), points.end()));
  const VolumeEstimate estimate = estimate_volume(scan, calibration_, GetParam(), levels);
  EXPECT_NEAR(estimate.median_ml, (points[199] + points[200]) / 2, 0.01 * estimate.median_ml);
  // k = floor(401 x 0.2 / 2) = 40; the hull over rho is hardly wider.
  EXPECT_LE(estimate.intervals[0].lower_ml, points[39] * (1 + 1e-9));
  EXPECT_NEAR(estimate.intervals[0].lower_ml, points[39], 0.1 * points[39]);
}

TEST_P(ChangeOfScans, PitIsTheRankAmongTheScores) {
  const RegionPrediction scan = prediction(kCalibration);
  const auto points = points_of(scan);
  const CalibratedVolume calibrated(scan, calibration_, GetParam());
  const auto pit = [&](double volume_ml) { return calibrated.distribution().pit(volume_ml); };
  EXPECT_DOUBLE_EQ(pit((points[199] + points[200]) / 2), 200.5 / 401);
  EXPECT_DOUBLE_EQ(pit(points.back() * 1.01), 400.5 / 401);
}

TEST_P(ChangeOfScans, NormalScoresOfTheTruthAreNormal) {
  double sum = 0;
  double squares = 0;
  for (int pair = 0; pair < kPairs; ++pair) {
    const int n = baseline(pair);
    const RegionPrediction scan = prediction(n);
    const CalibratedVolume calibrated(scan, calibration_, GetParam());
    const double score = probit(calibrated.distribution().pit(scans_[n].truth_ml));
    sum += score;
    squares += score * score;
  }
  EXPECT_NEAR(sum / kPairs, 0, 3.5 * std::sqrt(1.0 / kPairs + 1.0 / kCalibration));
  EXPECT_NEAR(squares / kPairs, 1, 0.35);
}

INSTANTIATE_TEST_SUITE_P(Methods, ChangeOfScans,
                         ::testing::Values(IntervalMethod::kConformal, IntervalMethod::kRegression),
                         [](const auto& info) { return to_string(info.param); });

}  // namespace
}  // namespace mcvol
