#include "mcvol/calibration/calibrated_volume.h"

#include "mcvol/calibration/coverage.h"
#include "mcvol/calibration/scores.h"
#include "mcvol/error/error.h"

#include <string>

namespace mcvol {

namespace {

bool sticks_out(const PredictionInterval& inner, const PredictionInterval& outer) {
  constexpr double kRounding = 1e-9;  // of edges found by bisection
  return inner.lower_ml < outer.lower_ml * (1 - kRounding) ||
         inner.upper_ml > outer.upper_ml * (1 + kRounding);
}

}  // namespace

CalibratedVolume::CalibratedVolume(const RegionPrediction& prediction,
                                   const RegionCalibration& calibration, IntervalMethod method,
                                   const RegressionFeatures* features)
    : calibration_(calibration),
      predicted_ml_(predicted_volume_ml(prediction)),
      stratum_(calibration.stratum_of(predicted_ml_)),
      distribution_(calibrated_distribution(prediction, stratum_, method, features)) {}

VolumeEstimate CalibratedVolume::estimate(std::span<const NominalCoverage> levels) const {
  // At the level that widths are compared at; none where another method than the calibration's
  // does not reach it.
  const auto usual_interval = [&](const VolumeEstimate& made) -> std::optional<PredictionInterval> {
    for (std::size_t n = 0; n < levels.size(); ++n) {
      if (levels[n].value == calibration_.width_level.value) return made.intervals[n];
    }
    return distribution_->interval(calibration_.width_level);
  };

  VolumeEstimate estimate;
  estimate.median_ml = distribution_->median_ml();
  for (const NominalCoverage& level : levels) {
    const auto interval = distribution_->interval(level);
    if (!interval) {
      throw CalibrationError(calibration_.region + ": " + std::to_string(references()) +
                             " references do not reach level " + level.text + ", which takes " +
                             std::to_string(least_references(level)));
    }
    estimate.intervals.push_back(*interval);
    const std::size_t last = estimate.intervals.size() - 1;
    if (last > 0 && sticks_out(estimate.intervals[last - 1], estimate.intervals[last])) {
      estimate.not_nested = true;
    }
  }
  estimate.outside_range = predicted_ml_ < calibration_.least_predicted_ml ||
                           predicted_ml_ > calibration_.most_predicted_ml;
  if (calibration_.most_usual_width > 0) {
    const auto usual = usual_interval(estimate);
    estimate.uncertain = usual && root_width(*usual) > calibration_.most_usual_width;
  }
  return estimate;
}

VolumeEstimate estimate_volume(const RegionPrediction& prediction,
                               const RegionCalibration& calibration, IntervalMethod method,
                               std::span<const NominalCoverage> levels,
                               const RegressionFeatures* features) {
  return CalibratedVolume(prediction, calibration, method, features).estimate(levels);
}

}  // namespace mcvol
