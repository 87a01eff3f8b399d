#include "mcvol/calibration/regression_fit.h"

#include "mcvol/calibration/calibrated_volume.h"
#include "mcvol/calibration/coverage.h"
#include "mcvol/error/error.h"
#include "mcvol/files/json_fields.h"
#include "mcvol/files/text_file.h"
#include "mcvol/volumetry/volume_distribution.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>

#include "calibration/synthetic_features.h"
#include "calibration/synthetic_scans.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using Passes = RegressionFit::Passes;

/// `inside` voxels of p = 0.9 and `unsure` ones of p = 0.2, in voxels of 0.008 ml.
LogitHistogram two_plateaus(int inside, int unsure) {
  LogitHistogram histogram;
  const auto logit = [](double p) { return static_cast<float>(std::log(p / (1 - p))); };
  for (int n = 0; n < inside; ++n) histogram.add(logit(0.9));
  for (int n = 0; n < unsure; ++n) histogram.add(logit(0.2));
  for (int n = inside + unsure; n < 5000; ++n) histogram.add(-16);
  return histogram;
}

TEST(RegressionFeatures, OfPlateausAreTheirSizes) {
  RegionPrediction scan{"case", "whole", {}, {}, 0.008};
  scan.without_dropout = {two_plateaus(1000, 1000)};
  scan.passes = {two_plateaus(1000, 1000), two_plateaus(3375, 0)};
  scan.mean = two_plateaus(2000, 500);
  scan.core_without_dropout_ml = 1;
  scan.agreement = {1000, 2375, 1000};
  const RegressionFeatures of = regression_features(scan);
  // Between the two probabilities a level set holds the inner voxels, 8 ml.
  EXPECT_NEAR(of.no_dropout_median, 2, 0.02);
  EXPECT_DOUBLE_EQ(of.no_dropout_thresholded, 2);
  EXPECT_DOUBLE_EQ(of.core_thresholded, 1);
  EXPECT_DOUBLE_EQ(of.thresholded_sd, 0.5);  // 2 and 3
  EXPECT_DOUBLE_EQ(of.mean_thresholded, std::cbrt(16.0));
  EXPECT_DOUBLE_EQ(of.in_any, std::cbrt(0.008 * 3375));
  EXPECT_DOUBLE_EQ(of.in_all, 2);
  // Of both passes: empty in a tenth, 2000 voxels in a tenth, 1000 in 0.35, 3375 in 0.45.
  EXPECT_NEAR(of.passes_median, std::cbrt(16.0), 0.03);
  EXPECT_NEAR(of.passes_upper, 3 - std::cbrt(16.0), 0.03);
  // One level set in ten is empty, two in ten hold all.
  const double all = std::cbrt(16.0);
  const double mean = 0.1 * 0 + 0.7 * 2 + 0.2 * all;
  const double sd = std::sqrt(0.7 * 4 + 0.2 * all * all - mean * mean);
  EXPECT_NEAR(of.no_dropout_sd, sd, 0.03);
  EXPECT_NEAR(of.no_dropout_upper, all - 2, 0.03);
  EXPECT_NEAR(of.no_dropout_lower, 2, 0.3);
}

TEST(RegressionFeatures, NeedAPassWithoutDropoutTheMeanAndTheAgreement) {
  RegionPrediction scan = testing::prediction_of(testing::synthetic_scans(1, 1).front());
  EXPECT_TRUE(has_regression_features(scan));
  RegionPrediction earlier = scan;
  earlier.agreement.clear();
  EXPECT_FALSE(has_regression_features(earlier));
  scan.mean.reset();
  EXPECT_FALSE(has_regression_features(scan));
  EXPECT_THROW(regression_features(scan), Error);
}

TEST(CoreOf, IsTheRegionCalledSoElseTheOneBefore) {
  const std::vector<std::string> brain{"whole_tumour", "tumour_core", "enhancing_tumour"};
  for (std::size_t n = 0; n < 3; ++n) EXPECT_EQ(core_of(brain, n), 1u);
  EXPECT_EQ(core_of({"WT", "TC", "ET"}, 2), 1u);
  EXPECT_EQ(core_of({"organ", "lesion", "necrosis"}, 2), 1u);
  EXPECT_EQ(core_of({"organ", "lesion", "necrosis"}, 0), 0u);
  EXPECT_EQ(core_of({"lesion"}, 0), 0u);
}

TEST(RegressionFit, KnowsOfMissedTumoursFromAHundredScansOn) {
  std::mt19937_64 engine(5);
  auto scans = testing::synthetic_feature_scans(101, testing::Errors::kNormal, engine);
  const RegressionFeatures other = scans.back().features;
  scans.pop_back();
  const auto columns = [&](const RegressionFit& fit, Passes passes) {
    return fit.rows_with(other, passes).scale.cols();
  };
  const RegressionFit hundred(scans);
  scans.pop_back();
  const RegressionFit fewer(scans);
  EXPECT_EQ(columns(hundred, Passes::kAll), columns(fewer, Passes::kAll) + 2);
  EXPECT_EQ(columns(hundred, Passes::kWithoutDropout), columns(fewer, Passes::kWithoutDropout) + 2);
}

TEST(RegressionFit, WithoutDropoutDoesNotSeeTheOtherPasses) {
  std::mt19937_64 engine(6);
  const RegressionFit fit(testing::synthetic_feature_scans(60, testing::Errors::kNormal, engine));
  RegressionFeatures scan = fit.scans().front().features;
  const auto before = fit.root_bounds(scan, Passes::kWithoutDropout);
  const auto with_passes = fit.root_bounds(scan, Passes::kAll);
  scan.sd *= 3;
  scan.passes_lower *= 3;
  scan.passes_upper *= 3;
  scan.thresholded_sd *= 3;
  scan.passes_median += 0.1;
  scan.mean_thresholded += 0.1;
  scan.in_any += 0.3;
  EXPECT_EQ(fit.root_bounds(scan, Passes::kWithoutDropout)[2].lower, before[2].lower);
  const auto wider = fit.root_bounds(scan, Passes::kAll);
  EXPECT_GT(wider[2].upper - wider[2].lower, with_passes[2].upper - with_passes[2].lower);
}

TEST(RegressionFit, RefusesNumbersThatAreNone) {
  EXPECT_THROW(RegressionFit({}), Error);
  RegressionFit::Scan scan;
  scan.features.sd = std::numeric_limits<double>::infinity();
  EXPECT_THROW(RegressionFit({scan}), Error);
  scan.features.sd = -0.1;
  EXPECT_THROW(RegressionFit({scan}), Error);
}

/// tests/calibration/make_regression_reference.py wrote them, by numpy.
TEST(RegressionFit, GivesTheBoundsOfTheReferenceInPython) {
  const nlohmann::json reference =
      parse_json(read_file(MCVOL_REGRESSION_REFERENCE), MCVOL_REGRESSION_REFERENCE,
                 [](const std::string& message) { throw std::runtime_error(message); });
  ASSERT_EQ(reference.at("fits").size(), 4u);
  for (const auto& expected : reference.at("fits")) {
    std::vector<RegressionFit::Scan> scans(expected.at("roots").size());
    for (std::size_t n = 0; n < scans.size(); ++n) {
      scans[n].root = expected.at("roots")[n];
      for (const auto& [name, feature] : kRegressionFeatures) {
        scans[n].features.*feature = expected.at("features").at(name)[n];
      }
    }
    const RegressionFeatures other = scans.front().features;
    scans.erase(scans.begin());
    const auto found = RegressionFit(scans).root_bounds(
        other, expected.at("passes") ? Passes::kAll : Passes::kWithoutDropout);
    for (const auto& of : expected.at("bounds")) {
      const auto& [lower, upper] = found[of.at("k").get<std::size_t>() - 1];
      EXPECT_NEAR(lower, of.at("lower").get<double>(), 1e-9) << of;
      EXPECT_NEAR(upper, of.at("upper").get<double>(), 1e-9) << of;
    }
  }
}

class RegressedVolume : public ::testing::Test {
 protected:
  void SetUp() override {
    std::vector<CalibrationScan> known;
    for (const auto& scan : testing::synthetic_scans(61, 3, {1, false, 0.2})) {
      known.push_back(calibration_scan(testing::prediction_of(scan), scan.truth_ml));
    }
    odd_ = fit_region("whole", {}, known);
    known.pop_back();
    even_ = fit_region("whole", {}, known);
  }

  RegionCalibration odd_, even_;
  RegionPrediction scan_ = testing::prediction_of(testing::synthetic_scans(1, 77).front());
};

TEST_F(RegressedVolume, HasNestedIntervalsFromItsPoints) {
  for (const RegionCalibration* region : {&odd_, &even_}) {
    const CalibratedVolume volume(scan_, *region, IntervalMethod::kRegression);
    const auto n = static_cast<std::size_t>(volume.references());
    const auto points = volume.distribution().points_ml();
    ASSERT_EQ(points.size(), n);
    EXPECT_TRUE(std::is_sorted(points.begin(), points.end()));
    const auto levels = parse_levels({"0.5", "0.8", "0.9"});
    const VolumeEstimate estimate = volume.estimate(levels);
    EXPECT_FALSE(estimate.not_nested);
    for (std::size_t l = 0; l < levels.size(); ++l) {
      const auto k = static_cast<std::size_t>(tail_rank(static_cast<std::int64_t>(n), levels[l]));
      EXPECT_NEAR(estimate.intervals[l].lower_ml, points[k - 1], 1e-9);
      EXPECT_NEAR(estimate.intervals[l].upper_ml, points[n - k], 1e-9);
    }
    EXPECT_GE(estimate.median_ml, points[(n - 1) / 2]);
    EXPECT_LE(estimate.median_ml, points[n / 2]);
  }
}

TEST_F(RegressedVolume, RanksTheAbsentAmongTheAbsent) {
  const CalibratedVolume volume(scan_, even_, IntervalMethod::kRegression);
  const auto points = volume.distribution().points_ml();
  const auto absent = std::count(points.begin(), points.end(), 0.0);
  const double pit = volume.distribution().pit(0.01);
  const double before = std::floor(atom_uniform("scan_0", "whole") * (absent + 1.0));
  EXPECT_DOUBLE_EQ(pit, (before + 0.5) / 61);
  EXPECT_LT(pit, volume.distribution().pit(0.06));
}

TEST_F(RegressedVolume, IsNeverMoreThanWasMeasured) {
  // All voxels are tumour, in all passes.
  LogitHistogram all;
  for (int n = 0; n < 1000; ++n) all.add(9.0F);
  const RegionPrediction full{"full", "whole", {all}, {all}, 0.008, all, 8, {0, 1000}};
  const VolumeEstimate estimate =
      estimate_volume(full, even_, IntervalMethod::kRegression, parse_levels({"0.9"}));
  EXPECT_LE(estimate.intervals[0].upper_ml, 8);
}

TEST_F(RegressedVolume, OfNothingPredictedReachesFromNothing) {
  const LogitHistogram none = two_plateaus(0, 0);
  const RegionPrediction empty{"empty", "whole", {none}, {none}, 0.008, none, 0, {5000, 0}};
  const VolumeEstimate estimate =
      estimate_volume(empty, even_, IntervalMethod::kRegression, parse_levels({"0.9"}));
  EXPECT_EQ(estimate.intervals[0].lower_ml, 0);
  EXPECT_GE(estimate.intervals[0].upper_ml, 0.05);
}

}  // namespace
}  // namespace mcvol
