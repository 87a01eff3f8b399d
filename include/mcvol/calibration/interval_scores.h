#pragma once

#include "mcvol/calibration/calibrated_volume.h"
#include "mcvol/calibration/coverage.h"

#include <cstdint>
#include <span>
#include <vector>

namespace mcvol {

/// How one interval of one scan did.
struct ScoredInterval {
  PredictionInterval interval;
  double point_ml = 0;  ///< median
  bool covered = false;
  double width_ml = 0, interval_score_ml = 0, crps_ml = 0, error_ml = 0;  ///< error: point - truth
  double width_root = 0, interval_score_root = 0, crps_root = 0;          ///< in ml^(1/3)
  double pit = 0.5;  ///< of the truth: CalibratedDistribution::pit(), of kLevelSets in the raw one
  std::int64_t references = 0;  ///< in the stratum of the scan; 0 of kLevelSets
};

/// Scores of a method on a scan of known volume, one per level; CRPS, error and PIT are the same
/// for all. Of kLevelSets without a calibration.
/// @throws CalibrationError as estimate_volume.
std::vector<ScoredInterval> score_intervals(const RegionPrediction& prediction, double volume_ml,
                                            const RegionCalibration* calibration,
                                            IntervalMethod method,
                                            std::span<const NominalCoverage> levels);

/// Means over scans.
struct CoverageSummary {
  std::int64_t n = 0, covered = 0;
  double coverage = 0;
  Range coverage_range;  ///< Clopper-Pearson, 95 %
  double mean_width_ml = 0, interval_score_ml = 0, crps_ml = 0, bias_ml = 0;
  double mean_width_root = 0, interval_score_root = 0, crps_root = 0;
};
CoverageSummary summary_of(std::span<const ScoredInterval> scored);

/// Ratio of two means over the same scans with its 95 % percentile bootstrap interval over scans,
/// 2,000 resamples, always the same ones (Efron, Tibshirani 1993).
struct PairedRatio {
  double ratio = 1;
  Range range;
};
/// NaN where all denominators are 0. @throws Error unless both are of as many scans, and some.
PairedRatio paired_ratio(std::span<const double> numerators, std::span<const double> denominators);

}  // namespace mcvol
