#pragma once

#include "mcvol/calibration/calibrated_distribution.h"

#include <memory>
#include <span>
#include <vector>

namespace mcvol {

/// Calibrated numbers of one region of one scan.
struct VolumeEstimate {
  double median_ml = 0;
  std::vector<PredictionInterval> intervals;  ///< one per level
  bool outside_range = false;  ///< predicted volume beyond those of the calibration scans
  bool uncertain = false;      ///< wider than of 95 % of the calibration scans
  bool not_nested = false;     ///< an interval sticks out of one at a higher level
};

/// One region of one scan under the calibrated distribution of a method.
class CalibratedVolume {
 public:
  /// @param prediction, calibration have to outlive it. @param features of the prediction, where
  ///   they are known already.
  /// @throws CalibrationError as calibrated_distribution().
  CalibratedVolume(const RegionPrediction& prediction, const RegionCalibration& calibration,
                   IntervalMethod method, const RegressionFeatures* features = nullptr);

  /// @param levels ascending. @throws CalibrationError where a stratum has too few references for a
  ///   level, saying how many it takes.
  VolumeEstimate estimate(std::span<const NominalCoverage> levels) const;
  CalibratedDistribution& distribution() const { return *distribution_; }
  /// In the stratum of the scan.
  std::int64_t references() const { return stratum_.n(); }

 private:
  const RegionCalibration& calibration_;
  double predicted_ml_;
  const RegionCalibration::Stratum& stratum_;
  std::unique_ptr<CalibratedDistribution> distribution_;
};

/// CalibratedVolume::estimate() alone.
VolumeEstimate estimate_volume(const RegionPrediction& prediction,
                               const RegionCalibration& calibration, IntervalMethod method,
                               std::span<const NominalCoverage> levels,
                               const RegressionFeatures* features = nullptr);

}  // namespace mcvol
