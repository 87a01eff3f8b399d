// Coverage of the intervals that every method gives from end to end, by simulation.

#include "mcvol/calibration/calibrated_volume.h"
#include "mcvol/calibration/coverage.h"
#include "mcvol/calibration/scores.h"

#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "calibration/synthetic_scans.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

constexpr int kPoolScans = 1000;
constexpr int kCalibrations = 150;
constexpr int kReferencesOfEach = 59;
constexpr int kTestsOfEach = 10;

/// Scans whose predictions are biased and of which some have no tumour, and what calibrations take
/// of them.
struct MethodsPool {
  std::vector<testing::SyntheticScan> scans =
      testing::synthetic_scans(kPoolScans, 31, {1.1, true, 0.1});
  std::vector<CalibrationScan> known;

  MethodsPool() {
    for (const auto& scan : scans) {
      known.push_back(calibration_scan(testing::prediction_of(scan), scan.truth_ml));
    }
  }
};

class MethodCoverage : public ::testing::TestWithParam<IntervalMethod> {
 protected:
  static const MethodsPool& pool() {
    static const MethodsPool made;
    return made;
  }
};

TEST_P(MethodCoverage, IsWhatIsPromisedAndTheHullAddsLittle) {
  const std::vector<NominalCoverage> levels = parse_levels({"0.8"});
  std::mt19937_64 engine(7);
  std::vector<int> order(kPoolScans);
  std::iota(order.begin(), order.end(), 0);
  double sum = 0, squares = 0;
  for (int repetition = 0; repetition < kCalibrations; ++repetition) {
    std::shuffle(order.begin(), order.end(), engine);
    std::vector<CalibrationScan> references;
    for (int n = 0; n < kReferencesOfEach; ++n) references.push_back(pool().known[order[n]]);
    const RegionCalibration region = fit_region("whole", {}, references);
    int covered = 0;
    for (int n = kReferencesOfEach; n < kReferencesOfEach + kTestsOfEach; ++n) {
      const testing::SyntheticScan& scan = pool().scans[order[n]];
      const VolumeEstimate estimate =
          estimate_volume(testing::prediction_of(scan), region, GetParam(), levels);
      covered +=
          covers(estimate.intervals[0], scan.truth_ml, least_volume_ml(testing::kSyntheticVoxelMl));
    }
    const double share = static_cast<double>(covered) / kTestsOfEach;
    sum += share;
    squares += share * share;
  }
  const double mean = sum / kCalibrations;
  const double error = std::sqrt((squares / kCalibrations - mean * mean) / (kCalibrations - 1));
  const double promised = promised_coverage(GetParam(), kReferencesOfEach, levels[0]).value();
  EXPECT_GE(mean, promised - 3.5 * error) << "SE " << error;
  EXPECT_LE(mean, promised + 0.01 + 3.5 * error) << "SE " << error;
}

INSTANTIATE_TEST_SUITE_P(Methods, MethodCoverage,
                         ::testing::Values(IntervalMethod::kRegression, IntervalMethod::kScaled,
                                           IntervalMethod::kConformal, IntervalMethod::kQuantile,
                                           IntervalMethod::kRegressionNoDropout,
                                           IntervalMethod::kSizeOnly, IntervalMethod::kNoDropout),
                         [](const auto& info) { return to_string(info.param); });

}  // namespace
}  // namespace mcvol
