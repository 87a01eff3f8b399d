#include "mcvol/error/error.h"
#include "mcvol/io/images/resample.h"
#include "mcvol/pipeline/case_maps.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "map_steps.h"

namespace mcvol {
namespace {

/// @param value_of a measured voxel's value, by its position among them.
template <class ValueOf>
Image<float> on_own_grid(const PreparedScan& scan, const ValueOf& value_of) {
  Image<float> image(scan.grid);
  std::size_t position = 0;
  for (std::size_t voxel = 0; voxel < image.values.size(); ++voxel) {
    if (scan.measured.values[voxel] == 0) continue;
    image.values[voxel] = static_cast<float>(value_of(position++));
  }
  image = reoriented(std::move(image), orientation_of(scan.own_grid));
  if (scan.resampled) {
    image = resampled(image, scan.own_grid, GridSpec::Interpolation::kLinear);
  } else if (!same_grid(image.grid, scan.own_grid)) {
    throw Error("the scan's own grid was not found again: " + describe(image.grid) + ", not " +
                describe(scan.own_grid));
  }
  image.grid = scan.own_grid;
  for (float& v : image.values) v = std::round(kMapSteps * std::clamp(v, 0.0F, 1.0F)) / kMapSteps;
  return image;
}

/// Voxels from the most probable on, so far as a probability is above 0; of equal ones the first.
std::vector<std::size_t> most_probable(const Image<float>& probability, std::size_t count) {
  std::vector<std::size_t> order;
  for (std::size_t voxel = 0; voxel < probability.values.size(); ++voxel) {
    if (probability.values[voxel] > 0.0F) order.push_back(voxel);
  }
  const auto above = [&](std::size_t a, std::size_t b) {
    const float first = probability.values[a], second = probability.values[b];
    return first != second ? first > second : a < b;
  };
  if (count >= order.size()) return order;
  std::nth_element(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(),
                   above);
  order.resize(count);
  return order;
}

}  // namespace

std::vector<RegionMap> region_maps(const PreparedScan& scan, const HistogramSink& sink,
                                   const std::vector<std::string>& regions) {
  std::vector<RegionMap> maps;
  for (std::size_t region = 0; region < regions.size(); ++region) {
    RegionMap map{regions[region], {}, {}, {}};
    map.probability =
        on_own_grid(scan, [&](std::size_t voxel) { return sink.mean_probability(region, voxel); });
    if (sink.spread().sd) {
      map.sd =
          on_own_grid(scan, [&](std::size_t voxel) { return sink.probability_sd(region, voxel); });
    }
    if (sink.spread().agreement) {
      map.agreement =
          on_own_grid(scan, [&](std::size_t voxel) { return sink.agreement(region, voxel); });
    }
    maps.push_back(std::move(map));
  }
  return maps;
}

Image<std::uint8_t> level_set(const Image<float>& probability, double volume_ml) {
  const double voxels = std::max(0.0, volume_ml) / probability.grid.voxel_volume_ml();
  const double most = static_cast<double>(probability.values.size());
  const auto count = static_cast<std::size_t>(std::llround(std::min(voxels, most)));
  Image<std::uint8_t> set(probability.grid);
  for (const std::size_t voxel : most_probable(probability, count)) set.values[voxel] = 1;
  return set;
}

}  // namespace mcvol
