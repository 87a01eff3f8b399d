#include "mcvol/image/quality_changes.h"

#include <utility>

namespace mcvol {
namespace {

/// Where BrainShape::coordinate_correlation has a pair of axes.
std::size_t place_of_pair(std::size_t a, std::size_t b) { return a + b - 1; }

/// The number of what stands at `n` once a and b are exchanged.
std::size_t exchanged(std::size_t n, std::size_t a, std::size_t b) {
  if (n == a) return b;
  return n == b ? a : n;
}

std::optional<double> negative(const std::optional<double>& number) {
  return number ? std::optional(-*number) : std::nullopt;
}

/// Of channel `one` with `other`, whichever comes first.
std::optional<double> correlation_of(const ImageQuality& quality, std::size_t one,
                                     std::size_t other) {
  return one > other ? quality.channels[one].correlations[other]
                     : quality.channels[other].correlations[one];
}

/// Of `one` less `other`, whichever comes first.
std::optional<double> asymmetry_of(const ImageQuality& quality, std::size_t one,
                                   std::size_t other) {
  return one > other ? quality.channels[one].difference_asymmetry[other]
                     : negative(quality.channels[other].difference_asymmetry[one]);
}

}  // namespace

ImageQuality with_channels_exchanged(const ImageQuality& quality, std::size_t a, std::size_t b) {
  ImageQuality changed = quality;
  for (std::size_t n = 0; n < changed.channels.size(); ++n) {
    const std::size_t from = exchanged(n, a, b);
    ChannelQuality& channel = changed.channels[n];
    channel = quality.channels[from];
    channel.correlations.clear();
    channel.difference_asymmetry.clear();
    for (std::size_t before = 0; before < n; ++before) {
      const std::size_t other = exchanged(before, a, b);
      channel.correlations.push_back(correlation_of(quality, from, other));
      channel.difference_asymmetry.push_back(asymmetry_of(quality, from, other));
    }
    channel.mutual_information.reset();
    if (n == 0) continue;
    const bool known = a != 0 && b != 0;
    channel.mutual_information =
        known ? quality.channels[from].mutual_information : MutualInformation{};
  }
  return changed;
}

ImageQuality with_axis_reversed(const ImageQuality& quality, std::size_t axis) {
  ImageQuality changed = quality;
  BrainShape& brain = changed.brain;
  for (std::size_t other = 0; other < 3; ++other) {
    brain.coskewness[axis][other] = negative(brain.coskewness[axis][other]);
    if (other == axis) continue;
    auto& correlation = brain.coordinate_correlation[place_of_pair(axis, other)];
    correlation = negative(correlation);
  }
  for (ChannelQuality& channel : changed.channels) {
    channel.axis_correlation[axis] = negative(channel.axis_correlation[axis]);
    if (!channel.mutual_information) continue;
    for (auto& of_shift : channel.mutual_information->shifted) {
      std::swap(of_shift[axis][0], of_shift[axis][1]);
    }
  }
  return changed;
}

ImageQuality with_axes_exchanged(const ImageQuality& quality, std::size_t a, std::size_t b) {
  ImageQuality changed = quality;
  BrainShape& brain = changed.brain;
  std::swap(brain.spread_mm[a], brain.spread_mm[b]);
  std::swap(brain.mirror_overlap[a], brain.mirror_overlap[b]);
  std::swap(brain.mirror_correlation[a], brain.mirror_correlation[b]);
  for (std::size_t one = 0; one < 3; ++one) {
    for (std::size_t other = 0; other < 3; ++other) {
      const std::size_t from = exchanged(one, a, b), with = exchanged(other, a, b);
      brain.coskewness[one][other] = quality.brain.coskewness[from][with];
      if (one == other) continue;
      brain.coordinate_correlation[place_of_pair(one, other)] =
          quality.brain.coordinate_correlation[place_of_pair(from, with)];
    }
  }
  for (auto& voxels : changed.shifts_voxels) std::swap(voxels[a], voxels[b]);
  for (ChannelQuality& channel : changed.channels) {
    std::swap(channel.sharpness[a], channel.sharpness[b]);
    std::swap(channel.axis_correlation[a], channel.axis_correlation[b]);
    if (!channel.mutual_information) continue;
    for (auto& of_shift : channel.mutual_information->shifted) {
      std::swap(of_shift[a], of_shift[b]);
    }
  }
  return changed;
}

}  // namespace mcvol
