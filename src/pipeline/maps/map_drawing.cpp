#include "map_drawing.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"
#include "mcvol/io/images/image_file.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "map_steps.h"

namespace mcvol {
namespace {

int steps_from(float value) { return static_cast<int>(std::lround(kMapSteps * value)); }

/// The set that an image shows; what it turns out to be goes into its entry.
Image<std::uint8_t> draw_set(const Image<float>& probability, MapEntry& entry) {
  Image<std::uint8_t> set = level_set(probability, entry.volume_ml.value_or(0.0));
  std::int64_t count = 0;
  float least = 1.0F;
  for (std::size_t voxel = 0; voxel < set.values.size(); ++voxel) {
    if (set.values[voxel] == 0) continue;
    ++count;
    least = std::min(least, probability.values[voxel]);
  }
  entry.drawn_ml = static_cast<double>(count) * set.grid.voxel_volume_ml();
  if (entry.kind == "segmentation" && count > 0) entry.threshold = least;
  return set;
}

DrawnMap draw_steps(const Image<float>& values) {
  Image<std::uint16_t> steps(values.grid);
  std::transform(values.values.begin(), values.values.end(), steps.values.begin(),
                 [](float value) { return static_cast<std::uint16_t>(steps_from(value)); });
  return {std::move(steps), 1.0 / kMapSteps};
}

/// Of a voxel in the region or not, in bits, for each step of the probability.
std::vector<std::uint16_t> entropy_of_steps() {
  const auto most = static_cast<int>(kMapSteps);
  std::vector<std::uint16_t> entropies(static_cast<std::size_t>(most) + 1, 0);
  for (int step = 1; step < most; ++step) {
    const double p = static_cast<double>(step) / most;
    const double bits = -p * std::log2(p) - (1 - p) * std::log2(1 - p);
    entropies[static_cast<std::size_t>(step)] =
        static_cast<std::uint16_t>(std::lround(most * bits));
  }
  return entropies;
}

DrawnMap draw_entropy(const Image<float>& probability) {
  const std::vector<std::uint16_t> entropies = entropy_of_steps();
  Image<std::uint16_t> steps(probability.grid);
  std::transform(probability.values.begin(), probability.values.end(), steps.values.begin(),
                 [&](float p) { return entropies[static_cast<std::size_t>(steps_from(p))]; });
  return {std::move(steps), 1.0 / kMapSteps};
}

int largest_class(const LabelPainting& painting, const std::vector<int>& steps) {
  int label = 0, most = 0;
  bool first = true;
  for (const LabelPainting::Class& one : painting.classes) {
    int of_class = one.whole * static_cast<int>(kMapSteps);
    for (std::size_t n = 0; n < steps.size(); ++n) of_class += one.of_regions[n] * steps[n];
    if (!first && of_class <= most) continue;
    first = false;
    most = of_class;
    label = one.label;
  }
  return label;
}

template <class Label>
void paint_classes(const MapSource& source, Image<Label>& labels) {
  std::vector<int> steps(source.regions.size());
  for (std::size_t voxel = 0; voxel < labels.values.size(); ++voxel) {
    for (std::size_t n = 0; n < steps.size(); ++n) {
      steps[n] = steps_from(source.regions[n].probability.values[voxel]);
    }
    labels.values[voxel] = static_cast<Label>(largest_class(source.painting, steps));
  }
}

template <class Label>
void paint_segmentations(const MapSource& source, Image<Label>& labels) {
  for (std::size_t n = 0; n < source.regions.size(); ++n) {
    const RegionMap& map = source.regions[n];
    const auto row = std::find_if(source.rows.begin(), source.rows.end(),
                                  [&](const auto& one) { return one.region == map.region; });
    if (row == source.rows.end()) continue;
    const Image<std::uint8_t> set = level_set(map.probability, row->segmented_ml.value_or(0.0));
    for (std::size_t voxel = 0; voxel < labels.values.size(); ++voxel) {
      if (set.values[voxel] == 0) continue;
      labels.values[voxel] = static_cast<Label>(source.painting.region_labels[n]);
    }
  }
}

template <class Label>
DrawnMap draw_labels(const MapSource& source) {
  const LabelPainting& painting = source.painting;
  const std::size_t count = source.regions.size();
  const bool fits = painting.classes.empty() ? painting.region_labels.size() == count
                                             : painting.classes[0].of_regions.size() == count;
  if (!fits || count == 0) throw InputError("its regions are not those of the model");
  Image<Label> labels(source.regions.front().probability.grid);
  if (painting.classes.empty()) {
    paint_segmentations(source, labels);
  } else {
    paint_classes(source, labels);
  }
  return {std::move(labels), 1.0};
}

}  // namespace

DrawnMap draw_map(MapEntry& entry, const MapSource& source) {
  if (entry.kind == "labels") {
    return source.painting.largest_label() <= 255 ? draw_labels<std::uint8_t>(source)
                                                  : draw_labels<std::uint16_t>(source);
  }
  const auto map = std::find_if(source.regions.begin(), source.regions.end(),
                                [&](const RegionMap& one) { return one.region == entry.region; });
  if (map == source.regions.end()) throw InputError(entry.region + ": no probability of it");
  if (entry.kind == "probability") return draw_steps(map->probability);
  if (entry.kind == "sd") return draw_steps(map->sd.value());
  if (entry.kind == "agreement") return draw_steps(map->agreement.value());
  if (entry.kind == "entropy") return draw_entropy(map->probability);
  return {draw_set(map->probability, entry), 1.0};
}

void write_map(const MapNames& names, const MapEntry& image, const DrawnMap& map,
               const ImageSource& grid_of, const LabelNames& labels) {
  for (const Sidecar& sidecar : names.sidecars(image, labels)) {
    write_file_atomically(names.folder() / sidecar.file, sidecar.text);
  }
  const std::filesystem::path path = names.folder() / image.file;
  if (const auto* bytes = std::get_if<Image<std::uint8_t>>(&map.stored)) {
    write_image_like(path, *bytes, grid_of);
  } else {
    write_image_like(path, std::get<Image<std::uint16_t>>(map.stored), grid_of, map.slope);
  }
}

}  // namespace mcvol
