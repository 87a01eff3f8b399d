#include "mcvol/image/image_quality.h"

#include "brain_sample.h"
#include "brain_shape.h"
#include "channel_numbers.h"
#include "joint_information.h"

namespace mcvol {
namespace {

ChannelQuality channel_quality(const Image<float>& channel, const std::vector<double>& values,
                               const BrainSample& sample) {
  ChannelQuality quality;
  quality.quantiles = quality_quantiles(values);
  const double sd = sample_moments(values).sd;
  const auto in_sds = [sd](std::optional<double> number) {
    return number && sd > 0 ? std::optional(*number / sd) : std::nullopt;
  };
  quality.noise = in_sds(estimated_noise(channel, sample));
  std::vector<double> indices(values.size());
  for (std::size_t axis = 0; axis < 3; ++axis) {
    quality.sharpness[axis] = in_sds(mean_step(channel, sample, axis));
    for (std::size_t n = 0; n < indices.size(); ++n) {
      indices[n] = static_cast<double>(sample.voxels()[n][axis]);
    }
    quality.axis_correlation[axis] = pearson(values, indices);
  }
  return quality;
}

MutualInformation information_of(const JointInformation& first, const Image<float>& channel,
                                 const ChannelQuality& quality, const ImageQuality& whole) {
  MutualInformation information;
  information.unshifted = first.with(channel, quality.quantiles, {0, 0, 0});
  for (std::size_t shift = 0; shift < kQualityShiftsMm.size(); ++shift) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      Index3 by{0, 0, 0};
      for (std::size_t side = 0; side < 2; ++side) {
        by[axis] = (side == 0 ? -1 : 1) * whole.shifts_voxels[shift][axis];
        information.shifted[shift][axis][side] = first.with(channel, quality.quantiles, by);
      }
    }
  }
  return information;
}

}  // namespace

std::optional<ImageQuality> image_quality(const PreparedScan& scan) {
  const BrainSample sample(scan.brain, kMostQualityVoxels);
  if (sample.brain_voxels() == 0) return std::nullopt;
  ImageQuality quality;
  quality.brain_ml = static_cast<double>(sample.brain_voxels()) * scan.grid.voxel_volume_ml();
  quality.brain = brain_shape(scan, sample);
  for (std::size_t shift = 0; shift < kQualityShiftsMm.size(); ++shift) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      quality.shifts_voxels[shift][axis] = voxels_for_mm(
          kQualityShiftsMm[shift], scan.grid.spacing_mm[static_cast<Eigen::Index>(axis)]);
    }
  }
  std::vector<std::vector<double>> values;
  for (const Image<float>& channel : scan.channels) {
    values.push_back(values_at(channel, sample));
    quality.channels.push_back(channel_quality(channel, values.back(), sample));
    for (std::size_t before = 0; before + 1 < values.size(); ++before) {
      quality.channels.back().correlations.push_back(pearson(values[before], values.back()));
      quality.channels.back().difference_asymmetry.push_back(
          tail_asymmetry(channel, scan.channels[before], sample, quality.shifts_voxels.back()));
    }
  }
  if (quality.channels.empty()) return quality;
  const JointInformation first(scan.channels.front(), quality.channels.front().quantiles, sample);
  for (std::size_t n = 1; n < scan.channels.size(); ++n) {
    quality.channels[n].mutual_information =
        information_of(first, scan.channels[n], quality.channels[n], quality);
  }
  return quality;
}

}  // namespace mcvol
