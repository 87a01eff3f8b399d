#include "mcvol/error/error.h"
#include "mcvol/io/images/resample.h"
#include "mcvol/pipeline/case_maps.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "map_steps.h"

namespace mcvol {
namespace {

/// On the network's grid.
Image<float> probability_image(const PreparedScan& scan, const HistogramSink& sink,
                               std::size_t region) {
  Image<float> image(scan.grid);
  std::size_t position = 0;
  for (std::size_t voxel = 0; voxel < image.values.size(); ++voxel) {
    if (scan.measured.values[voxel] == 0) continue;
    image.values[voxel] = static_cast<float>(sink.mean_probability(region, position++));
  }
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
    Image<float> turned =
        reoriented(probability_image(scan, sink, region), orientation_of(scan.own_grid));
    if (scan.resampled) {
      turned = resampled(turned, scan.own_grid, GridSpec::Interpolation::kLinear);
    } else if (!same_grid(turned.grid, scan.own_grid)) {
      throw Error("the scan's own grid was not found again: " + describe(turned.grid) + ", not " +
                  describe(scan.own_grid));
    }
    turned.grid = scan.own_grid;
    for (float& p : turned.values)
      p = std::round(kMapSteps * std::clamp(p, 0.0F, 1.0F)) / kMapSteps;
    maps.push_back({regions[region], std::move(turned)});
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
