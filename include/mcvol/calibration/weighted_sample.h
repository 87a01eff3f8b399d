#pragma once

#include "mcvol/volumetry/volume_distribution.h"

#include <vector>

namespace mcvol {

/// Below this a region counts as absent: max(one voxel, 0.05 ml).
double least_volume_ml(double voxel_volume_ml);

/// V^(1/3) in ml^(1/3), and 0 where the region counts as absent.
double root_of(double volume_ml, double least_ml);

/// A distribution as points with weights.
class WeightedSample {
 public:
  /// Any order; weights >= 0 that sum to 1. @throws Error for no points or not as many weights.
  WeightedSample(std::vector<double> points, const std::vector<double>& weights);

  double mean() const { return moments_.back(); }
  double sd() const;
  /// The smallest point up to which lies `probability`.
  double quantile(double probability) const;
  /// Continuous ranked probability score E|X - x| - E|X - X'| / 2 (Gneiting, Raftery, J. Am. Stat.
  /// Assoc. 102, 2007), in the unit of the points; smaller is better.
  double crps(double value) const;

 private:
  std::vector<double> points_;   ///< ascending
  std::vector<double> weights_;  ///< cumulated: of the points up to and with this one
  std::vector<double> moments_;  ///< cumulated weight times point
  double half_spread_ = 0;       ///< E|X - X'| / 2
};

/// V^(1/3) in ml^(1/3), for in ml the largest tumours would decide alone: each pass at 97 equally
/// spaced values of the shared factor z in [-6, 6], weighted by the normal density; 0 where the
/// region counts as absent.
WeightedSample root_sample(const VolumeDistribution& distribution, double least_ml);
/// The same of V, in ml.
WeightedSample volume_sample(const VolumeDistribution& distribution, double least_ml);

}  // namespace mcvol
