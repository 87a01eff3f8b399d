#pragma once

#include "mcvol/analysis/calibrate.h"
#include "mcvol/analysis/referenced_results.h"
#include "mcvol/calibration/interval_scores.h"
#include "mcvol/calibration/region_calibration.h"

#include <optional>
#include <vector>

namespace mcvol {

/// What stays of one region of all calibration scans once their records are read.
struct ScansOfRegion {
  std::vector<CalibrationScan> scores;
  std::vector<std::optional<DiceFit::Scan>> dice;  ///< none where the Dice is not known
  std::vector<std::vector<ScoredInterval>> raw;    ///< [level][scan], of level sets
  /// [level][scan], each scan by a calibration on the scans of other folds; of no scan where these
  /// do not reach the level.
  std::vector<std::vector<ScoredInterval>> validated;
};

/// Fits the regions of the results, and scores their scans by these fits. Every record is read
/// twice: what a fit is made of is known only once all have been.
/// @param fitted gets the regions. @returns what was made of each, in the same order.
/// @throws CalibrationError.
std::vector<ScansOfRegion> calibrate_scans(const ReferencedResults& results,
                                           const CalibrateOptions& options,
                                           std::vector<RegionCalibration>& fitted);

}  // namespace mcvol
