#include "brain_shape.h"

#include <algorithm>
#include <cmath>

#include "channel_numbers.h"

namespace mcvol {
namespace {

/// Of the brain's voxels along an axis, in voxels.
struct Profile {
  double centre = 0;
  double sd = 0;
};

Profile profile_of(const std::vector<std::int64_t>& voxels, std::int64_t all) {
  const auto n = static_cast<double>(all);
  double sum = 0, squares = 0;
  for (std::size_t index = 0; index < voxels.size(); ++index) {
    sum += static_cast<double>(voxels[index]) * static_cast<double>(index);
  }
  Profile profile;
  profile.centre = sum / n;
  for (std::size_t index = 0; index < voxels.size(); ++index) {
    const auto count = static_cast<double>(voxels[index]);
    const double off = static_cast<double>(index) - profile.centre;
    squares += count * off * off;
  }
  profile.sd = std::sqrt(squares / n);
  return profile;
}

/// Second and third mixed moments of the standardised coordinates of the brain's voxels.
void put_moments(const Image<std::uint8_t>& brain, const std::array<Profile, 3>& profiles,
                 BrainShape& shape) {
  std::array<std::array<double, 3>, 3> products{}, cubes{};
  double voxels = 0;
  for_each_voxel_of(brain, [&](const Index3& voxel, std::size_t) {
    std::array<double, 3> z{};
    for (std::size_t a = 0; a < 3; ++a) {
      const double off = static_cast<double>(voxel[a]) - profiles[a].centre;
      z[a] = profiles[a].sd > 0 ? off / profiles[a].sd : 0.0;
    }
    for (std::size_t a = 0; a < 3; ++a) {
      for (std::size_t b = 0; b < 3; ++b) {
        products[a][b] += z[a] * z[b];
        cubes[a][b] += z[a] * z[b] * z[b];
      }
    }
    ++voxels;
  });
  const auto varies = [&](std::size_t a, std::size_t b) {
    return profiles[a].sd > 0 && profiles[b].sd > 0;
  };
  constexpr std::array<std::array<std::size_t, 2>, 3> kPairs{{{0, 1}, {0, 2}, {1, 2}}};
  for (std::size_t n = 0; n < kPairs.size(); ++n) {
    const auto [a, b] = kPairs[n];
    if (varies(a, b)) {
      shape.coordinate_correlation[n] = std::clamp(products[a][b] / voxels, -1.0, 1.0);
    }
  }
  for (std::size_t a = 0; a < 3; ++a) {
    for (std::size_t b = 0; b < 3; ++b) {
      if (varies(a, b)) shape.coskewness[a][b] = cubes[a][b] / voxels;
    }
  }
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
  std::array<Profile, 3> profiles;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const Profile& profile = profiles[axis] =
        profile_of(sample.voxels_along(axis), sample.brain_voxels());
    shape.spread_mm[axis] = profile.sd * scan.grid.spacing_mm[static_cast<Eigen::Index>(axis)];
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
  put_moments(scan.brain, profiles, shape);
  return shape;
}

}  // namespace mcvol
