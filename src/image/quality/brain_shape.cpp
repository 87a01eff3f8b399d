#include "brain_shape.h"

#include <cmath>

#include "channel_numbers.h"

namespace mcvol {
namespace {

/// Of the brain's voxels along an axis, in voxels.
struct Profile {
  double centre = 0;
  double sd = 0;
  std::optional<double> skewness;
};

Profile profile_of(const std::vector<std::int64_t>& voxels, std::int64_t all) {
  const auto n = static_cast<double>(all);
  double sum = 0, squares = 0, cubes = 0;
  for (std::size_t index = 0; index < voxels.size(); ++index) {
    sum += static_cast<double>(voxels[index]) * static_cast<double>(index);
  }
  Profile profile;
  profile.centre = sum / n;
  for (std::size_t index = 0; index < voxels.size(); ++index) {
    const auto count = static_cast<double>(voxels[index]);
    const double off = static_cast<double>(index) - profile.centre;
    squares += count * off * off;
    cubes += count * off * off * off;
  }
  profile.sd = std::sqrt(squares / n);
  if (profile.sd > 0) profile.skewness = cubes / n / (profile.sd * profile.sd * profile.sd);
  return profile;
}

/// The mean over channels of intensities in SDs from the channel's mean.
class MeanChannel {
 public:
  MeanChannel(const PreparedScan& scan, const BrainSample& sample) {
    for (const Image<float>& channel : scan.channels) {
      const SampleMoments moments = sample_moments(values_at(channel, sample));
      if (moments.sd > 0) channels_.push_back({&channel, moments});
    }
  }

  double at(std::size_t offset) const {
    double sum = 0;
    for (const auto& [channel, moments] : channels_) {
      sum += (static_cast<double>(channel->values[offset]) - moments.mean) / moments.sd;
    }
    return channels_.empty() ? 0.0 : sum / static_cast<double>(channels_.size());
  }

 private:
  struct Standardised {
    const Image<float>* channel;
    SampleMoments moments;
  };
  std::vector<Standardised> channels_;
};

}  // namespace

BrainShape brain_shape(const PreparedScan& scan, const BrainSample& sample) {
  BrainShape shape;
  const MeanChannel mean(scan, sample);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const Profile profile = profile_of(sample.voxels_along(axis), sample.brain_voxels());
    shape.spread_mm[axis] = profile.sd * scan.grid.spacing_mm[static_cast<Eigen::Index>(axis)];
    shape.skewness[axis] = profile.skewness;
    // The mirror lies on a voxel or between two.
    const auto twice_centre = static_cast<std::int64_t>(std::llround(2 * profile.centre));
    std::vector<double> here, there;
    for (const Index3& voxel : sample.voxels()) {
      Index3 mirrored = voxel;
      mirrored[axis] = twice_centre - voxel[axis];
      if (!sample.contains(mirrored)) continue;
      here.push_back(mean.at(sample.offset(voxel)));
      there.push_back(mean.at(sample.offset(mirrored)));
    }
    shape.mirror_overlap[axis] =
        static_cast<double>(here.size()) / static_cast<double>(sample.voxels().size());
    shape.mirror_correlation[axis] = pearson(here, there);
  }
  return shape;
}

}  // namespace mcvol
