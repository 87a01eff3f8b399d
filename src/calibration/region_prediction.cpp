#include "mcvol/calibration/region_prediction.h"

#include "mcvol/volumetry/volume_distribution.h"

namespace mcvol {

double predicted_volume_ml(const RegionPrediction& prediction) {
  return VolumeDistribution(prediction.passes, prediction.voxel_volume_ml, {}).quantile(0.5);
}

double mean_thresholded_ml(const std::vector<LogitHistogram>& passes, double voxel_volume_ml) {
  if (passes.empty()) return 0;
  std::int64_t voxels = 0;
  for (const LogitHistogram& pass : passes) voxels += pass.above_half();
  return static_cast<double>(voxels) * voxel_volume_ml / static_cast<double>(passes.size());
}

}  // namespace mcvol
