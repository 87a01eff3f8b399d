#include "mcvol/calibration/segmentation_features.h"

#include "mcvol/error/error.h"
#include "mcvol/volumetry/agreement.h"
#include "mcvol/volumetry/volume_distribution.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace mcvol {

namespace {

/// Of the probabilities of all voxels, and of those above 0.5, in voxels.
struct Sums {
  double all = 0, inside = 0, inside_voxels = 0, inside_entropy = 0;
};

double entropy_bits(double p, double complement) {
  const auto part = [](double share) { return share > 0 ? -share * std::log2(share) : 0; };
  return part(p) + part(complement);
}

Sums sums_of(std::span<const LogitHistogram> histograms) {
  const HistogramNodes& nodes = histogram_nodes();
  Sums sums;
  for (const LogitHistogram& histogram : histograms) {
    for (std::size_t n = 0; n < kHistogramNodes; ++n) {
      const double voxels =
          static_cast<double>(histogram.weights()[n]) / static_cast<double>(kVoxelWeight);
      const double p = nodes.probabilities[n];
      sums.all += voxels * p;
      if (nodes.logits[n] <= 0) continue;
      sums.inside += voxels * p;
      sums.inside_voxels += voxels;
      sums.inside_entropy += voxels * entropy_bits(p, nodes.complements[n]);
    }
  }
  return sums;
}

double soft_dice_of(const Sums& sums) {
  const double sizes = sums.all + sums.inside_voxels;
  return sizes > 0 ? std::min(1.0, 2 * sums.inside / sizes) : 0;
}

}  // namespace

bool has_segmentation_features(const RegionPrediction& prediction) {
  return has_regression_features(prediction) && prediction.agreement.size() > 2;
}

SegmentationFeatures segmentation_features(const RegionPrediction& prediction,
                                           const RegressionFeatures& sizes) {
  if (!has_segmentation_features(prediction)) {
    throw Error(prediction.case_id + ": " + prediction.region +
                ": expected the agreement of several passes, found none");
  }
  constexpr double kSmallSize = 0.1, kSmallRoot = 0.3;  // ml^(1/3)
  const std::span mean(&*prediction.mean, 1);
  SegmentationFeatures features;
  // Whether passes are right that all find nothing, none of them can say.
  features.generalised_dice = sizes.in_any > 0 ? generalised_dice(prediction.agreement).value() : 0;
  features.soft_dice = soft_dice_of(sums_of(prediction.without_dropout));
  const Sums of_mean = sums_of(mean);
  // Nodes at p = 0.5 share voxels of either side.
  features.entropy_inside =
      of_mean.inside_voxels > 0 ? std::min(1.0, of_mean.inside_entropy / of_mean.inside_voxels) : 1;
  features.shared_by_all = sizes.in_all / (sizes.in_any + kSmallSize);
  features.root = sizes.mean_thresholded;
  const double size = features.root + kSmallRoot;
  features.relative_spread = (sizes.no_dropout_lower + sizes.no_dropout_upper) / size;
  features.passes_upper = sizes.passes_upper / size;
  const VolumeDistribution level_sets(mean, prediction.voxel_volume_ml, {});
  // Quantiles are roots that were searched for: equal ones may be out of order by a rounding.
  const double upper = std::cbrt(level_sets.quantile(0.95)) - std::cbrt(level_sets.quantile(0.5));
  features.mean_upper = std::max(0.0, upper) / size;
  return features;
}

}  // namespace mcvol
