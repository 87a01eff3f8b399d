#include "mcvol/pipeline/thumbnail_slice.h"

#include "mcvol/image/axial_plane.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <string>
#include <vector>

namespace mcvol {

namespace {

bool is_called_one_of(const Bundle::Channel& channel, std::initializer_list<const char*> names) {
  std::vector<std::string> own = channel.suffixes;
  own.push_back(channel.name);
  return std::any_of(own.begin(), own.end(), [&](std::string name) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return std::find(names.begin(), names.end(), name) != names.end();
  });
}

/// Calls visit(index, position): of each measured voxel, with its position in their list.
template <typename Visit>
void for_each_measured(const PreparedScan& scan, Visit visit) {
  const Index3& size = scan.grid.size;
  std::size_t position = 0, voxel = 0;
  for (std::int64_t k = 0; k < size[2]; ++k) {
    for (std::int64_t j = 0; j < size[1]; ++j) {
      for (std::int64_t i = 0; i < size[0]; ++i, ++voxel) {
        if (scan.measured.values[voxel] != 0) visit(Index3{i, j, k}, position++);
      }
    }
  }
}

std::int64_t slice_to_show(const PreparedScan& scan, std::size_t through,
                           const HistogramSink& sink) {
  std::vector<double> sums(static_cast<std::size_t>(scan.grid.size[through]), 0);
  for_each_measured(scan, [&](const Index3& index, std::size_t position) {
    const double probability = sink.mean_probability(0, position);
    sums[static_cast<std::size_t>(index[through])] += probability * probability;
  });
  const auto most = std::max_element(sums.begin(), sums.end());
  if (*most > 0) return most - sums.begin();
  const Box brain = bounding_box(scan.brain);
  return (brain.begin[through] + std::max(brain.begin[through], brain.end[through] - 1)) / 2;
}

/// The grey window: intensities of the brain that become black and white.
std::array<float, 2> window_of(const PreparedScan& scan, std::size_t channel) {
  std::vector<float> values;
  for (std::size_t voxel = 0; voxel < scan.brain.values.size(); ++voxel) {
    if (scan.brain.values[voxel] != 0) values.push_back(scan.channels[channel].values[voxel]);
  }
  if (values.empty()) return {0, 1};
  const auto percentile = [&](double share) {
    const auto rank = std::lround(share * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + rank, values.end());
    return values[static_cast<std::size_t>(rank)];
  };
  return {percentile(0.01), percentile(0.99)};
}

/// Means of what falls on a pixel.
class PixelMeans {
 public:
  explicit PixelMeans(const AxialPlane& plane)
      : sums_(static_cast<std::size_t>(plane.width * plane.height)), counts_(sums_.size()) {}

  void add(std::int64_t pixel, double value) {
    sums_[static_cast<std::size_t>(pixel)] += value;
    ++counts_[static_cast<std::size_t>(pixel)];
  }

  /// @param byte_of of a mean; pixels without a value are 0.
  template <typename Function>
  std::vector<std::uint8_t> bytes(Function byte_of) const {
    std::vector<std::uint8_t> made(sums_.size(), 0);
    for (std::size_t n = 0; n < made.size(); ++n) {
      if (counts_[n] > 0) made[n] = byte_of(sums_[n] / counts_[n]);
    }
    return made;
  }

 private:
  std::vector<double> sums_;
  std::vector<int> counts_;
};

std::vector<std::uint8_t> grey_slice(const PreparedScan& scan, std::size_t channel,
                                     const AxialPlane& plane, std::int64_t slice) {
  PixelMeans means(plane);
  Index3 index{0, 0, 0};
  index[plane.through] = slice;
  for (index[plane.down] = 0; index[plane.down] < scan.grid.size[plane.down]; ++index[plane.down]) {
    for (index[plane.across] = 0; index[plane.across] < scan.grid.size[plane.across];
         ++index[plane.across]) {
      if (scan.brain.at(index[0], index[1], index[2]) == 0) continue;
      means.add(plane.pixel_of(index), scan.channels[channel].at(index[0], index[1], index[2]));
    }
  }
  const auto [black, white] = window_of(scan, channel);
  return means.bytes([black = black, white = white](double value) {
    const double share = white > black ? (value - black) / (white - black) : 0.5;
    return static_cast<std::uint8_t>(std::lround(1 + 254 * std::clamp(share, 0.0, 1.0)));
  });
}

}  // namespace

std::size_t channel_to_show(const Bundle& bundle) {
  const auto find = [&](std::initializer_list<const char*> names) {
    return std::find_if(
        bundle.channels.begin(), bundle.channels.end(),
        [&](const Bundle::Channel& channel) { return is_called_one_of(channel, names); });
  };
  auto channel = find({"flair", "t2f", "t2_flair", "t2-flair"});
  if (channel == bundle.channels.end()) {
    channel = find({"t1ce", "t1c", "t1gd", "t1_gd", "t1post", "ce-gadolinium_t1w"});
  }
  if (channel == bundle.channels.end()) return 0;
  return static_cast<std::size_t>(channel - bundle.channels.begin());
}

Thumbnail thumbnail_slice(const PreparedScan& scan, std::size_t channel,
                          const HistogramSink& sink) {
  const AxialPlane plane(scan.grid);
  const std::int64_t slice = slice_to_show(scan, plane.through, sink);
  Thumbnail thumbnail{plane.width, plane.height, grey_slice(scan, channel, plane, slice), {}};
  std::vector<PixelMeans> means(sink.region_count(), PixelMeans(plane));
  for_each_measured(scan, [&](const Index3& index, std::size_t position) {
    if (index[plane.through] != slice) return;
    for (std::size_t region = 0; region < means.size(); ++region) {
      means[region].add(plane.pixel_of(index), sink.mean_probability(region, position));
    }
  });
  for (const PixelMeans& region : means) {
    thumbnail.regions.push_back(region.bytes(byte_from_probability));
  }
  return thumbnail;
}

}  // namespace mcvol
