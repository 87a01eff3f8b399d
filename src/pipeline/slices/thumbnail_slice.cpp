#include "mcvol/pipeline/thumbnail_slice.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "shown_slices.h"

namespace mcvol {

namespace {

std::optional<std::size_t> channel_called(const Bundle& bundle,
                                          std::initializer_list<const char*> names) {
  for (std::size_t n = 0; n < bundle.channels.size(); ++n) {
    std::vector<std::string> own = bundle.channels[n].suffixes;
    own.push_back(bundle.channels[n].name);
    const bool found = std::any_of(own.begin(), own.end(), [&](const std::string& name) {
      return std::find(names.begin(), names.end(), lower_case(name)) != names.end();
    });
    if (found) return n;
  }
  return std::nullopt;
}

/// Whether a region is told from what surrounds it by its enhancement.
bool shows_with_contrast(const std::string& region) {
  const std::string name = lower_case(region);
  const std::array<const char*, 3> parts{"core", "enhanc", "necro"};
  return name == "et" || name == "tc" || name == "ncr" ||
         std::any_of(parts.begin(), parts.end(),
                     [&](const char* part) { return name.find(part) != std::string::npos; });
}

/// Means of what falls on a pixel.
class PixelMeans {
 public:
  explicit PixelMeans(const SlicePlane& plane)
      : sums_(static_cast<std::size_t>(plane.width * plane.height)), counts_(sums_.size()) {}

  void add(std::int64_t pixel, double value) {
    sums_[static_cast<std::size_t>(pixel)] += value;
    ++counts_[static_cast<std::size_t>(pixel)];
  }

  std::size_t size() const { return sums_.size(); }
  bool has(std::size_t pixel) const { return counts_[pixel] > 0; }
  double at(std::size_t pixel) const { return sums_[pixel] / counts_[pixel]; }

  /// @param byte_of of a mean; pixels without a value are 0.
  template <typename Function>
  std::vector<std::uint8_t> bytes(Function byte_of) const {
    std::vector<std::uint8_t> made(sums_.size(), 0);
    for (std::size_t n = 0; n < made.size(); ++n) {
      if (has(n)) made[n] = byte_of(at(n));
    }
    return made;
  }

 private:
  std::vector<double> sums_;
  std::vector<int> counts_;
};

/// What falls on the pixels of one slice.
struct SliceMeans {
  SlicePlane plane;
  ShownSlice slice;
  std::vector<PixelMeans> channels;
  std::vector<PixelMeans> regions;

  bool has(const Index3& voxel) const { return voxel[plane.through] == slice.index; }
};

std::vector<SliceMeans> means_of(const PreparedScan& scan, const BrainIntensities& shown,
                                 const HistogramSink& sink) {
  std::vector<SliceMeans> means;
  for (const ShownSlice& slice : slices_to_show(scan, sink)) {
    const SlicePlane plane(scan.grid, slice.plane);
    means.push_back({plane,
                     slice,
                     {shown.size(), PixelMeans(plane)},
                     {sink.region_count(), PixelMeans(plane)}});
  }
  for_each_voxel_of(scan.brain, [&](const Index3& index, std::size_t position) {
    for (SliceMeans& slice : means) {
      if (!slice.has(index)) continue;
      const std::int64_t pixel = slice.plane.pixel_of(index);
      for (std::size_t n = 0; n < shown.size(); ++n) {
        slice.channels[n].add(pixel, shown[n][position]);
      }
    }
  });
  for_each_voxel_of(scan.measured, [&](const Index3& index, std::size_t position) {
    for (SliceMeans& slice : means) {
      if (!slice.has(index)) continue;
      const std::int64_t pixel = slice.plane.pixel_of(index);
      for (std::size_t n = 0; n < slice.regions.size(); ++n) {
        slice.regions[n].add(pixel, sink.mean_probability(n, position));
      }
    }
  });
  return means;
}

/// The value that at most this share lies above. Reorders `values`.
double percentile(std::vector<float>& values, double share) {
  const auto rank =
      static_cast<std::ptrdiff_t>(std::ceil(share * static_cast<double>(values.size() - 1)));
  std::nth_element(values.begin(), values.begin() + rank, values.end());
  return values[static_cast<std::size_t>(rank)];
}

/// The intensities of a channel that become black and white.
struct GreyWindow {
  double black = 0, white = 1;

  GreyWindow(std::vector<float> brain, const std::vector<SliceMeans>& slices, std::size_t channel) {
    constexpr double kTumourBelowWhite = 0.98;
    if (brain.empty()) return;
    black = percentile(brain, 0.01);
    white = percentile(brain, 0.99);
    // A tumour is often brighter than all else, and its parts must not become one white.
    for (const SliceMeans& slice : slices) {
      const PixelMeans& grey = slice.channels[channel];
      for (const PixelMeans& region : slice.regions) {
        std::vector<float> inside;
        for (std::size_t n = 0; n < grey.size(); ++n) {
          if (grey.has(n) && region.has(n) && region.at(n) >= 0.5) {
            inside.push_back(static_cast<float>(grey.at(n)));
          }
        }
        if (!inside.empty()) white = std::max(white, percentile(inside, kTumourBelowWhite));
      }
    }
  }

  std::uint8_t byte_of(double value) const {
    const double share = white > black ? (value - black) / (white - black) : 0.5;
    return static_cast<std::uint8_t>(std::lround(1 + 254 * std::clamp(share, 0.0, 1.0)));
  }
};

}  // namespace

ChannelsToShow channels_to_show(const Bundle& bundle) {
  const auto contrast =
      channel_called(bundle, {"t1ce", "t1c", "t1gd", "t1_gd", "t1post", "ce-gadolinium_t1w"});
  const auto flair = channel_called(bundle, {"flair", "t2f", "t2_flair", "t2-flair"});
  ChannelsToShow found{{flair ? *flair : contrast.value_or(0)}, {}};
  for (const Bundle::Region& region : bundle.regions) {
    const bool other =
        contrast && shows_with_contrast(region.name) && *contrast != found.channels.front();
    if (other && found.channels.size() == 1) found.channels.push_back(*contrast);
    found.of_region.push_back(other ? 1 : 0);
  }
  return found;
}

Thumbnail thumbnail_of(const PreparedScan& scan, const ChannelsToShow& channels,
                       const BrainIntensities& shown, const HistogramSink& sink) {
  const auto voxels =
      static_cast<std::size_t>(std::count_if(scan.brain.values.begin(), scan.brain.values.end(),
                                             [](std::uint8_t value) { return value != 0; }));
  const bool fits = std::all_of(shown.begin(), shown.end(),
                                [&](const auto& values) { return values.size() == voxels; });
  if (shown.size() != channels.channels.size() || !fits) {
    throw Error("a slice needs the intensities of the channels to show");
  }
  const std::vector<SliceMeans> means = means_of(scan, shown, sink);
  Thumbnail thumbnail;
  thumbnail.channel_of_region = channels.of_region;
  thumbnail.channels.assign(channels.channels.begin(), channels.channels.end());
  for (const SliceMeans& of : means) {
    thumbnail.slices.push_back(
        {of.slice.plane, of.plane.width, of.plane.height, of.slice.index, {}, {}});
  }
  for (std::size_t channel = 0; channel < shown.size(); ++channel) {
    const GreyWindow window(shown[channel], means, channel);
    for (std::size_t n = 0; n < means.size(); ++n) {
      thumbnail.slices[n].channels.push_back(
          means[n].channels[channel].bytes([&](double value) { return window.byte_of(value); }));
    }
  }
  for (std::size_t n = 0; n < means.size(); ++n) {
    for (const PixelMeans& region : means[n].regions) {
      thumbnail.slices[n].regions.push_back(region.bytes(byte_from_probability));
    }
  }
  return thumbnail;
}

}  // namespace mcvol
