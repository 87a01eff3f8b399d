#pragma once

#include "mcvol/analysis/evaluate.h"

#include <string>
#include <vector>

namespace mcvol {

/// @param calibration may be null: then the volume is that of level sets.
EvaluatedSegmentation segmentation_of(const RegionPrediction& prediction,
                                      const ReferencedRegion& reference,
                                      const AppliedCalibration* calibration,
                                      const NominalCoverage& level);

/// Fills all of the evaluation that is made of the segmentations of one region.
void add_quality(const std::string& region, std::vector<EvaluatedSegmentation> scans,
                 Evaluation& evaluation);

}  // namespace mcvol
