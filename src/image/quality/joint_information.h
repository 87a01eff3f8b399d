#pragma once

#include "mcvol/image/image_quality.h"

#include <vector>

#include "brain_sample.h"

namespace mcvol {

/// Mutual information of channels with the first one, from joint histograms of
/// kMutualInformationBins equal bins between a channel's quantiles at 0.01 and 0.99, beyond which
/// intensities count in the first and last.
class JointInformation {
 public:
  /// @param quantiles of a channel (kQualityQuantiles).
  using Quantiles = std::array<double, kQualityQuantiles.size()>;

  JointInformation(const Image<float>& first, const Quantiles& quantiles,
                   const BrainSample& sample);

  /// Of the first channel at v and `other` at v + shift, over the sample's voxels v with v + shift
  /// in the brain; none without any, and where a channel's bins have no width. In nats.
  std::optional<double> with(const Image<float>& other, const Quantiles& quantiles,
                             const Index3& shift) const;

 private:
  const BrainSample& sample_;
  std::vector<std::uint8_t> bins_;  ///< of the first channel at the sample's voxels; or empty
};

/// How many voxels along an axis are at least so many mm: 1e-3 of a voxel is forgiven, which
/// headers round.
std::int64_t voxels_for_mm(double mm, double spacing_mm);

}  // namespace mcvol
