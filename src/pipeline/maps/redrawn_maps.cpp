#include "mcvol/error/error.h"
#include "mcvol/io/images/image_file.h"
#include "mcvol/io/maps/map_files.h"
#include "mcvol/io/maps/map_names.h"
#include "mcvol/pipeline/case_maps.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include "map_drawing.h"
#include "map_images.h"

namespace mcvol {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> regions_of(const std::vector<VolumeRow>& rows) {
  std::vector<std::string> regions;
  for (const VolumeRow& row : rows) {
    if (regions.empty() || regions.back() != row.region) regions.push_back(row.region);
  }
  return regions;
}

bool is_of(const MapChoice& kinds, const MapEntry& image) {
  return std::any_of(kMapKinds.begin(), kMapKinds.end(), [&](const MapKind& kind) {
    return kinds.*kind.chosen && image.kind == kind.word;
  });
}

/// Whether the images of a list of these kinds are the ones wanted.
bool same_images(const MapList& list, const MapChoice& kinds, const std::vector<MapEntry>& wanted) {
  std::vector<MapEntry> found;
  std::copy_if(list.images.begin(), list.images.end(), std::back_inserter(found),
               [&](const MapEntry& image) { return is_of(kinds, image); });
  return std::equal(found.begin(), found.end(), wanted.begin(), wanted.end(),
                    [](const MapEntry& a, const MapEntry& b) {
                      return a.file == b.file && a.volume_ml == b.volume_ml;
                    });
}

/// Whether all images of a list stand but for these kinds.
bool others_stand(const MapNames& names, const MapList& list, const MapChoice& kinds) {
  std::vector<MapEntry> others = list.images;
  std::erase_if(others, [&](const MapEntry& image) { return is_of(kinds, image); });
  return list.complete || all_there(names, others);
}

fs::path probability_path(const MapNames& names, const std::string& region) {
  return names.folder() / names.image("probability", region);
}

std::vector<RegionMap> saved_probabilities(const MapNames& names,
                                           const std::vector<std::string>& regions) {
  std::vector<RegionMap> saved;
  for (const std::string& region : regions) {
    const fs::path path = probability_path(names, region);
    saved.push_back({region, read_image(require_file(path, names)), {}, {}});
  }
  return saved;
}

/// Draws images from the saved probabilities, in place of those of their kinds. All are drawn
/// before the first is written: where a probability cannot be read, all is left as it was.
void redraw(const MapNames& names, const MapList& before, const MapChoice& kinds,
            std::vector<MapEntry> wanted, const std::vector<VolumeRow>& rows,
            const LabelPainting& painting) {
  const std::vector<std::string> regions = regions_of(rows);
  const std::vector<RegionMap> saved = saved_probabilities(names, regions);
  std::vector<DrawnMap> drawn;
  for (MapEntry& image : wanted) drawn.push_back(draw_map(image, {saved, rows, painting}));

  const auto is_replaced = [&](const MapEntry& image) { return is_of(kinds, image); };
  require_own_files(names, wanted, before.images);
  // At no moment does an image stand beside an entry that is not its own: wherever this ends, what
  // is listed and there is what it says.
  MapList list = before;
  list.complete = false;
  write_map_list(names, list);
  for (const MapEntry& image : before.images) {
    if (is_replaced(image)) remove_image(names, image);
  }
  std::erase_if(list.images, is_replaced);
  list.images.insert(list.images.begin(), wanted.begin(), wanted.end());
  write_map_list(names, list);
  for (std::size_t n = 0; n < wanted.size(); ++n) {
    const std::string& region = wanted[n].region.empty() ? regions.front() : wanted[n].region;
    write_map(names, wanted[n], drawn[n], probability_path(names, region), painting.names);
  }
  list.complete = true;
  write_map_list(names, list);
}

}  // namespace

bool renew_bounds(const fs::path& folder, const CaseRecord& record,
                  const std::vector<VolumeRow>& rows) {
  const auto names = map_names(folder, record.case_id);
  const std::optional<MapList> before = read_map_list(*names);
  if (!before || !before->has("bounds")) return false;
  if (before->origin != MapsOrigin(record.run_identity, record.inputs)) return false;
  MapChoice bounds;
  bounds.bounds = true;
  std::vector<MapEntry> wanted = images_of(*names, regions_of(rows), rows, bounds);
  if (before->complete && same_images(*before, bounds, wanted)) return false;
  // Images of which others never came: nothing that says it is whole could be made of them.
  if (!others_stand(*names, *before, bounds)) return false;
  redraw(*names, *before, bounds, std::move(wanted), rows, {});
  return true;
}

MapChoice saved_kinds(const fs::path& folder, const CaseRecord& record) {
  const auto names = map_names(folder, record.case_id);
  const std::optional<MapList> list = read_map_list(*names);
  MapChoice kinds;
  if (!list || list->origin != MapsOrigin(record.run_identity, record.inputs)) return kinds;
  for (const MapKind& kind : kMapKinds) {
    kinds.*kind.chosen = has_images(*names, *list, kind.word);
  }
  return kinds;
}

AddedMaps add_case_maps(const fs::path& folder, const CaseRecord& record,
                        const std::vector<VolumeRow>& rows, const MapChoice& choice,
                        const LabelPainting& painting) {
  const auto names = map_names(folder, record.case_id);
  const std::optional<MapList> before = read_map_list(*names);
  const MapChoice there = saved_kinds(folder, record);
  AddedMaps added;
  added.missing = choice;
  if (!before || !there.any()) return added;
  const std::vector<std::string> regions = regions_of(rows);
  MapChoice to_draw;
  for (const MapKind& kind : kMapKinds) {
    if (!(choice.*kind.chosen)) continue;
    MapChoice only;
    only.*kind.chosen = true;
    const bool is_current =
        !kind.of_probability ||
        (before->complete && same_images(*before, only, images_of(*names, regions, rows, only)));
    const bool stands = there.*kind.chosen && is_current;
    added.missing.*kind.chosen = !stands;
    to_draw.*kind.chosen = !stands && kind.of_probability && there.probability;
  }
  // Beside images that never came nothing could be said to be whole.
  if (!others_stand(*names, *before, to_draw)) {
    added.missing = choice;
    return added;
  }
  if (!to_draw.any()) return added;
  redraw(*names, *before, to_draw, images_of(*names, regions, rows, to_draw), rows, painting);
  for (const MapKind& kind : kMapKinds) {
    if (to_draw.*kind.chosen) added.missing.*kind.chosen = false;
  }
  added.drawn = to_draw;
  return added;
}

}  // namespace mcvol
