#include "mcvol/calibration/segmentation_features.h"

#include "mcvol/error/error.h"
#include "mcvol/volumetry/agreement.h"
#include "mcvol/volumetry/volume_distribution.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <span>

namespace mcvol {

namespace {

constexpr double kSmallRoot = 0.3;  // ml^(1/3)

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

/// From one quantile of the level sets to another, as V^(1/3).
double root_distance(std::span<const LogitHistogram> histograms, double voxel_ml, double from,
                     double to) {
  const VolumeDistribution level_sets(histograms, voxel_ml, {});
  // Quantiles are roots that were searched for: equal ones may be out of order by a rounding.
  return std::max(0.0, std::cbrt(level_sets.quantile(to)) - std::cbrt(level_sets.quantile(from)));
}

}  // namespace

bool has_segmentation_features(const RegionPrediction& prediction) {
  return !prediction.without_dropout.empty() && prediction.mean.has_value() &&
         prediction.agreement.size() > 2;
}

SegmentationFeatures segmentation_features(const RegionPrediction& prediction) {
  if (!has_segmentation_features(prediction)) {
    throw Error(prediction.case_id + ": " + prediction.region +
                ": expected the agreement of several passes, found none");
  }
  const double voxel_ml = prediction.voxel_volume_ml;
  const auto root_of_voxels = [&](std::int64_t voxels) {
    return std::cbrt(static_cast<double>(voxels) * voxel_ml);
  };
  const std::span mean(&*prediction.mean, 1);
  const std::int64_t in_any = std::accumulate(prediction.agreement.begin() + 1,
                                              prediction.agreement.end(), std::int64_t{0});
  SegmentationFeatures features;
  // Whether passes are right that all find nothing, none of them can say.
  features.generalised_dice = in_any > 0 ? *generalised_dice(prediction.agreement) : 0;
  features.soft_dice = soft_dice_of(sums_of(prediction.without_dropout));
  const Sums of_mean = sums_of(mean);
  // Nodes at p = 0.5 share voxels of either side.
  features.entropy_inside =
      of_mean.inside_voxels > 0 ? std::min(1.0, of_mean.inside_entropy / of_mean.inside_voxels) : 1;
  features.shared_by_all =
      root_of_voxels(prediction.agreement.back()) / (root_of_voxels(in_any) + 0.1);
  features.root = root_of_voxels(prediction.mean->above_half());
  const double size = features.root + kSmallRoot;
  features.relative_spread = root_distance(prediction.without_dropout, voxel_ml, 0.05, 0.95) / size;
  features.passes_upper = root_distance(prediction.passes, voxel_ml, 0.5, 0.95) / size;
  features.mean_upper = root_distance(mean, voxel_ml, 0.5, 0.95) / size;
  return features;
}

}  // namespace mcvol
