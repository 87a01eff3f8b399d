#include "mcvol/pipeline/case_maps.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"
#include "mcvol/io/images/image_file.h"

#include <algorithm>
#include <cmath>
#include <system_error>
#include <utility>

#include "map_list.h"
#include "map_steps.h"

namespace mcvol {
namespace {

namespace fs = std::filesystem;

/// Interval of a row, the calibrated one where there is one.
std::pair<double, double> interval_of(const VolumeRow& row) {
  const bool calibrated = row.lower_ml.has_value() && row.upper_ml.has_value();
  return {(calibrated ? row.lower_ml : row.raw_lower_ml).value_or(0.0),
          (calibrated ? row.upper_ml : row.raw_upper_ml).value_or(0.0)};
}

std::string probability_name(const std::string& region) {
  return region + "_probability" + kMapEnding;
}

/// The images of a row's bounds, not yet drawn.
std::vector<MapEntry> bounds_of(const VolumeRow& row) {
  const auto [lower_ml, upper_ml] = interval_of(row);
  std::vector<MapEntry> bounds;
  for (const auto& [which, volume_ml] : {std::pair{"_lower_", lower_ml}, {"_upper_", upper_ml}}) {
    bounds.push_back({row.region + which + row.level + kMapEnding,
                      "bounds",
                      row.region,
                      row.level,
                      volume_ml,
                      {},
                      {}});
  }
  return bounds;
}

/// The images of a case, not yet drawn.
std::vector<MapEntry> images_of(const std::vector<RegionMap>& maps,
                                const std::vector<VolumeRow>& rows, const MapChoice& choice) {
  std::vector<MapEntry> images;
  for (const RegionMap& map : maps) {
    bool first = true;
    for (const VolumeRow& row : rows) {
      if (row.region != map.region) continue;
      if (first && choice.segmentation) {
        images.push_back({map.region + kMapEnding,
                          "segmentation",
                          map.region,
                          {},
                          row.segmented_ml.value_or(0.0),
                          {},
                          {}});
      }
      first = false;
      if (!choice.bounds) continue;
      for (MapEntry& bound : bounds_of(row)) images.push_back(std::move(bound));
    }
    if (choice.probability) {
      images.push_back({probability_name(map.region), "probability", map.region, {}, {}, {}, {}});
    }
  }
  return images;
}

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

void write_probability(const fs::path& path, const Image<float>& probability,
                       const fs::path& source) {
  Image<std::uint16_t> steps(probability.grid);
  std::transform(probability.values.begin(), probability.values.end(), steps.values.begin(),
                 [](float p) { return static_cast<std::uint16_t>(std::lround(kMapSteps * p)); });
  write_image_like(path, steps, source, 1.0 / kMapSteps);
}

/// @throws Error where it is there and stays.
void remove_image(const fs::path& path) {
  std::error_code error;
  fs::remove(path, error);
  if (error) {
    throw Error(path.string() +
                ": cannot remove the image of an earlier measurement: " + error.message());
  }
}

bool all_there(const fs::path& maps, const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
    std::error_code error;
    return fs::is_regular_file(maps / name, error);
  });
}

/// @throws InputError for anything but a file: opening a pipe would wait for its other end.
const fs::path& require_file(const fs::path& path) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) return path;
  throw InputError(path.string() + ": missing, or no file; maps.json names it");
}

/// Draws bounds from the saved probabilities.
std::vector<Image<std::uint8_t>> draw_bounds(const fs::path& maps, std::vector<MapEntry>& bounds) {
  std::vector<Image<std::uint8_t>> sets;
  std::string region;
  Image<float> probability;
  for (MapEntry& bound : bounds) {
    if (sets.empty() || bound.region != region) {
      region = bound.region;
      probability = read_image(require_file(maps / probability_name(region)));
    }
    sets.push_back(draw_set(probability, bound));
  }
  return sets;
}

/// Whether the bounds of a list are these.
bool same_bounds(const MapList& list, const std::vector<MapEntry>& wanted) {
  std::vector<MapEntry> found;
  std::copy_if(list.images.begin(), list.images.end(), std::back_inserter(found),
               [](const MapEntry& image) { return image.kind == "bounds"; });
  return std::equal(found.begin(), found.end(), wanted.begin(), wanted.end(),
                    [](const MapEntry& a, const MapEntry& b) {
                      return a.file == b.file && a.volume_ml == b.volume_ml;
                    });
}

}  // namespace

MapsOrigin::MapsOrigin(std::string run, const std::vector<InputFile>& files)
    : run_identity(std::move(run)) {
  for (const InputFile& file : files) inputs.push_back(file.sha256);
}

fs::path maps_folder(const fs::path& folder, const std::string& case_id) {
  return folder / "maps" / case_id;
}

void write_case_maps(const fs::path& folder, const CaseRecord& record,
                     const std::vector<RegionMap>& maps, const std::vector<VolumeRow>& rows,
                     const MapChoice& choice, const fs::path& source) {
  const fs::path to = maps_folder(folder, record.case_id);
  MapList list;
  list.case_id = record.case_id;
  list.grid_of = source.filename().string();
  list.origin = MapsOrigin(record.run_identity, record.inputs);
  list.images = images_of(maps, rows, choice);
  write_map_list(to, list);
  for (MapEntry& image : list.images) {
    const auto map = std::find_if(maps.begin(), maps.end(),
                                  [&](const RegionMap& one) { return one.region == image.region; });
    if (image.kind == "probability") {
      write_probability(to / image.file, map->probability, source);
    } else {
      write_image_like(to / image.file, draw_set(map->probability, image), source);
    }
  }
  list.complete = true;
  write_map_list(to, list);
}

bool has_case_maps(const fs::path& folder, const std::string& case_id, const MapsOrigin& origin,
                   const MapChoice& choice) {
  if (!choice.any()) return true;
  const fs::path maps = maps_folder(folder, case_id);
  const std::optional<MapList> list = read_map_list(maps);
  if (!list || !list->complete || list->origin != origin) return false;
  for (const auto& [chosen, kind] : {std::pair{choice.segmentation, "segmentation"},
                                     {choice.probability, "probability"},
                                     {choice.bounds, "bounds"}}) {
    if (chosen && !(list->has(kind) && all_there(maps, list->files(kind)))) return false;
  }
  return true;
}

bool renew_bounds(const fs::path& folder, const CaseRecord& record,
                  const std::vector<VolumeRow>& rows) {
  const fs::path maps = maps_folder(folder, record.case_id);
  const std::optional<MapList> before = read_map_list(maps);
  if (!before || !before->has("bounds")) return false;
  if (before->origin != MapsOrigin(record.run_identity, record.inputs)) return false;
  std::vector<MapEntry> bounds;
  for (const VolumeRow& row : rows) {
    for (MapEntry& bound : bounds_of(row)) bounds.push_back(std::move(bound));
  }
  if (before->complete && same_bounds(*before, bounds)) return false;
  // Images of which others never came: nothing that says it is whole could be made of them.
  if (!before->complete && !(all_there(maps, before->files("segmentation")) &&
                             all_there(maps, before->files("probability")))) {
    return false;
  }
  const std::vector<Image<std::uint8_t>> sets = draw_bounds(maps, bounds);

  MapList after = *before;
  std::erase_if(after.images, [](const MapEntry& image) { return image.kind == "bounds"; });
  after.images.insert(after.images.begin(), bounds.begin(), bounds.end());
  // All that may stand there is listed until those drawn before are gone.
  MapList between = after;
  between.complete = false;
  std::vector<std::string> gone;
  for (const MapEntry& image : before->images) {
    const bool stays = std::any_of(after.images.begin(), after.images.end(),
                                   [&](const MapEntry& one) { return one.file == image.file; });
    if (stays) continue;
    between.images.push_back(image);
    gone.push_back(image.file);
  }
  write_map_list(maps, between);
  for (const std::string& name : gone) remove_image(maps / name);
  for (std::size_t n = 0; n < bounds.size(); ++n) {
    write_image_like(maps / bounds[n].file, sets[n], maps / probability_name(bounds[n].region));
  }
  after.complete = true;
  write_map_list(maps, after);
  return true;
}

void copy_case_maps(const fs::path& from, const fs::path& to, const CaseRecord& record) {
  remove_case_maps(to, record.case_id);
  const fs::path source = maps_folder(from, record.case_id);
  const fs::path target = maps_folder(to, record.case_id);
  std::optional<MapList> list = read_map_list(source);
  if (!list || !list->complete) return;
  if (list->origin != MapsOrigin(record.run_identity, record.inputs)) return;
  list->complete = false;
  write_map_list(target, *list);
  for (const MapEntry& image : list->images) {
    write_file_atomically(target / image.file, read_file(require_file(source / image.file)));
  }
  list->complete = true;
  write_map_list(target, *list);
}

void remove_case_maps(const fs::path& folder, const std::string& case_id) {
  const fs::path maps = maps_folder(folder, case_id);
  // The list last: as long as an image stands, it is named.
  if (const std::optional<MapList> list = read_map_list(maps)) {
    for (const MapEntry& image : list->images) remove_image(maps / image.file);
  }
  remove_map_list(maps);
  remove_left_temporary_files(maps);
  std::error_code ignored;
  fs::remove(maps, ignored);  // only where it is empty
}

std::vector<std::string> unlisted_images(const fs::path& folder, const std::string& case_id) {
  const fs::path maps = maps_folder(folder, case_id);
  const std::optional<MapList> list = read_map_list(maps);
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(maps, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const bool listed =
        list && std::any_of(list->images.begin(), list->images.end(),
                            [&](const MapEntry& image) { return image.file == name; });
    if (name.ends_with(kMapEnding) && !listed) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

void remove_left_temporary_maps(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder / "maps", error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_directory(ignored) && !entry->is_symlink(ignored)) {
      remove_left_temporary_files(entry->path());
    }
  }
}

}  // namespace mcvol
