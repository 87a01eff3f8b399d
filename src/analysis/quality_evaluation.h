#pragma once

#include "mcvol/analysis/evaluate.h"
#include "mcvol/calibration/calibrated_volume.h"

#include <string>
#include <vector>

namespace mcvol {

/// @param calibration, estimate of the region at the level; null: the volume is that of level sets.
EvaluatedSegmentation segmentation_of(const RegionPrediction& prediction,
                                      const ReferencedRegion& reference,
                                      const RegionCalibration* calibration,
                                      const VolumeEstimate* estimate, const NominalCoverage& level);

/// Fills all of the evaluation that is made of the segmentations of one region.
void add_quality(const std::string& region, std::vector<EvaluatedSegmentation> scans,
                 const NominalCoverage& level, Evaluation& evaluation);

}  // namespace mcvol
