#pragma once

#include "mcvol/image/image_quality.h"

#include <optional>
#include <span>
#include <vector>

#include "brain_sample.h"

namespace mcvol {

/// Mean and population SD. The SD is 0 where rounding alone tells the values apart.
struct SampleMoments {
  double mean = 0;
  double sd = 0;
};
SampleMoments sample_moments(std::span<const double> values);

/// Pearson's correlation of as many values each; none where either does not vary.
std::optional<double> pearson(std::span<const double> a, std::span<const double> b);

/// The intensities of the sample's voxels.
std::vector<double> values_at(const Image<float>& channel, const BrainSample& sample);

/// Linear interpolation between order statistics, numpy's default. @param values at least one.
std::array<double, kQualityQuantiles.size()> quality_quantiles(std::vector<double> values);

/// SD of the noise, as if it were the same everywhere and independent between voxels: the median
/// absolute difference of second order along all three axes at once, over 0.6745 and over what the
/// difference makes of an SD of 1. That is the mask of Immerkær ("Fast noise variance estimation",
/// Computer Vision and Image Understanding 64, 1996) with a third axis, which is blind to any
/// structure that is linear along one of the axes, and the median in place of the mean of Donoho's
/// and of Coupé et al. ("Robust Rician noise estimation for MR images", Medical Image Analysis 14,
/// 2010), which leaves out edges. Interpolated images have less: their noise is no longer
/// independent. None without a voxel whose 26 neighbours are brain.
std::optional<double> estimated_noise(const Image<float>& channel, const BrainSample& sample);

/// Which way the difference of two channels has its outliers: (q(1 - p) + q(p) - 2 q(1/2)) over
/// q(1 - p) - q(p), p = kQualityTail, of `one` less `other` at a voxel less the mean of that at the
/// six voxels `reach` away along the axes, all in the brain. What is slow over the head, as
/// contrast between tissues and bias fields are, is gone from it; vessels and lesions that take up
/// contrast agent stay, in the channel after its injection. Changes its sign where the channels are
/// exchanged. From -1 to 1; none without a voxel that has all six, and where nothing varies.
std::optional<double> tail_asymmetry(const Image<float>& one, const Image<float>& other,
                                     const BrainSample& sample, const Index3& reach);

/// Mean absolute difference of a voxel and the next along an axis, both in the brain; none without
/// such a pair.
std::optional<double> mean_step(const Image<float>& channel, const BrainSample& sample,
                                std::size_t axis);

}  // namespace mcvol
