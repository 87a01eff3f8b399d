#pragma once

#include "mcvol/analysis/evaluate.h"

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace mcvol {

/// Numbers that may tell whether a segmentation is bad, the last of them the one that the others
/// are compared with: small tumours are harder.
inline constexpr std::array kQualitySignals{"expected_dice",   "dice_lower",     "generalised_dice",
                                            "entropy_inside",  "interval_width", "level_set_width",
                                            "predicted_volume"};

/// A region of a scan: how wrong it is, and what each signal says, larger for what is likely bad.
struct QualityScan {
  std::optional<double> dice;
  double relative_error = 0;  ///< of the volume, over the reference
  /// As kQualitySignals; none where the calibration or the record does not know.
  std::array<std::optional<double>, kQualitySignals.size()> suspicion;
};

/// @param calibration may be null: then the volume is that of level sets.
QualityScan quality_of(const RegionPrediction& prediction, const ReferencedRegion& reference,
                       const AppliedCalibration* calibration, const NominalCoverage& level);

/// Fills the evaluation's `quality` and `risk_coverage` with one region.
void add_quality(const std::string& region, const std::vector<QualityScan>& scans,
                 Evaluation& evaluation);

}  // namespace mcvol
