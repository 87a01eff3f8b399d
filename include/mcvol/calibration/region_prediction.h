#pragma once

#include "mcvol/volumetry/logit_histogram.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mcvol {

/// What the passes say of one region of one scan.
struct RegionPrediction {
  std::string case_id;  ///< with the region, ranks an absent tumour among the absent
  std::string region;
  std::vector<LogitHistogram> passes;
  std::vector<LogitHistogram> without_dropout;  ///< one per network; empty in older records
  double voxel_volume_ml = 0;
  std::optional<LogitHistogram> mean;  ///< of the mean probability over passes
  /// Voxels with p > 0.5 without dropout of the region that stands for this one's core (core_of()),
  /// in ml, mean over networks.
  double core_without_dropout_ml = 0;
  /// Voxels with p > 0.5 in 0, 1, … all of the passes; empty in older records.
  std::vector<std::int64_t> agreement = {};
};

/// The volume that strata, ranges and tertiles go by: the median of the level sets, which no
/// calibration moves (raw_volume_ml). Never the true volume: strata of it are no strata of anything
/// one knows.
double predicted_volume_ml(const RegionPrediction& prediction);

/// The mean over passes of the volume of voxels with p > 0.5, in ml; 0 of none.
double mean_thresholded_ml(const std::vector<LogitHistogram>& passes, double voxel_volume_ml);

}  // namespace mcvol
