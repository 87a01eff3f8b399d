#include "map_images.h"

#include "mcvol/error/error.h"

#include <set>
#include <utility>

namespace mcvol {
namespace {

/// Interval of a row, the calibrated one where there is one.
std::pair<double, double> interval_of(const VolumeRow& row) {
  const bool calibrated = row.lower_ml.has_value() && row.upper_ml.has_value();
  return {(calibrated ? row.lower_ml : row.raw_lower_ml).value_or(0.0),
          (calibrated ? row.upper_ml : row.raw_upper_ml).value_or(0.0)};
}

MapEntry entry_of(const MapNames& names, const std::string& kind, const std::string& region) {
  return {names.image(kind, region), kind, region, {}, {}, {}, {}};
}

void add_bounds_of(const VolumeRow& row, const MapNames& names, std::vector<MapEntry>& images) {
  const auto [lower_ml, upper_ml] = interval_of(row);
  for (const auto& [which, volume_ml] : {std::pair{"lower", lower_ml}, {"upper", upper_ml}}) {
    const std::string file = names.bound(row.region, which, row.level);
    images.push_back({file, "bounds", row.region, row.level, volume_ml, {}, {}});
  }
}

}  // namespace

std::vector<MapEntry> images_of(const MapNames& names, const std::vector<std::string>& regions,
                                const std::vector<VolumeRow>& rows, const MapChoice& choice) {
  std::vector<MapEntry> images;
  for (const std::string& region : regions) {
    bool first = true;
    for (const VolumeRow& row : rows) {
      if (row.region != region) continue;
      if (first && choice.segmentation) {
        images.push_back(entry_of(names, "segmentation", region));
        images.back().volume_ml = row.segmented_ml.value_or(0.0);
      }
      if (choice.bounds) add_bounds_of(row, names, images);
      first = false;
    }
    for (const auto& [chosen, kind] : {std::pair{choice.probability, "probability"},
                                       {choice.sd, "sd"},
                                       {choice.agreement, "agreement"},
                                       {choice.entropy, "entropy"}}) {
      if (chosen) images.push_back(entry_of(names, kind, region));
    }
  }
  if (choice.labels) images.push_back(entry_of(names, "labels", ""));
  return images;
}

void require_map_names_differ(const std::vector<std::string>& regions, const MapChoice& choice,
                              MapLayout layout) {
  // Whatever the case: its part of the names is the same in all.
  const auto of_case = map_names("", "case", layout);
  std::vector<VolumeRow> rows(regions.size());
  for (std::size_t n = 0; n < regions.size(); ++n) rows[n].region = regions[n];
  std::set<std::string> files;
  for (const MapEntry& image : images_of(*of_case, regions, rows, choice)) {
    if (files.insert(image.file).second) continue;
    throw UsageError("--save: the model's regions are named so that two images would be " +
                     image.file + "; save fewer kinds" +
                     (layout == MapLayout::kBids ? ", or with --save-layout cases" : ""));
  }
}

}  // namespace mcvol
