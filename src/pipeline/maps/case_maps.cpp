#include "mcvol/pipeline/case_maps.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"
#include "mcvol/io/maps/map_files.h"
#include "mcvol/io/maps/map_names.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "map_drawing.h"
#include "map_images.h"

namespace mcvol {

namespace fs = std::filesystem;

fs::path maps_folder(const fs::path& folder, const std::string& case_id) {
  return map_names(folder, case_id)->folder();
}

void write_case_maps(const fs::path& folder, const CaseRecord& record,
                     const std::vector<RegionMap>& maps, const std::vector<VolumeRow>& rows,
                     const MapChoice& choice, const ImageSource& source,
                     const LabelPainting& painting, bool may_replace) {
  const auto names = map_names(folder, record.case_id);
  std::vector<std::string> regions;
  for (const RegionMap& map : maps) regions.push_back(map.region);
  MapList list;
  list.case_id = record.case_id;
  list.grid_of = source.name();
  list.origin = MapsOrigin(record.run_identity, record.inputs);
  list.images = images_of(*names, regions, rows, choice);
  const std::optional<MapList> before = read_map_list(*names);
  if (!may_replace) {
    require_own_files(*names, list.images, before ? before->images : std::vector<MapEntry>{});
  }
  write_map_list(*names, list);
  for (MapEntry& image : list.images) {
    const DrawnMap drawn = draw_map(image, {maps, rows, painting});
    write_map(*names, image, drawn, source, painting.names);
  }
  list.complete = true;
  write_map_list(*names, list);
}

bool has_case_maps(const fs::path& folder, const std::string& case_id, const MapsOrigin& origin,
                   const MapChoice& choice) {
  if (!choice.any()) return true;
  const auto names = map_names(folder, case_id);
  const std::optional<MapList> list = read_map_list(*names);
  if (!list || !list->complete || list->origin != origin) return false;
  for (const MapKind& kind : kMapKinds) {
    if (choice.*kind.chosen && !has_images(*names, *list, kind.word)) return false;
  }
  return true;
}

void copy_case_maps(const fs::path& from, const fs::path& to, const CaseRecord& record,
                    bool may_replace) {
  may_replace = remove_case_maps(to, record.case_id) || may_replace;
  const auto source = map_names(from, record.case_id);
  const auto target = map_names(to, record.case_id);
  std::optional<MapList> list = read_map_list(*source);
  if (!list || !list->complete) return;
  if (list->origin != MapsOrigin(record.run_identity, record.inputs)) return;
  if (!may_replace) require_own_files(*target, list->images, {});
  list->complete = false;
  write_map_list(*target, *list);
  for (const MapEntry& image : list->images) {
    for (const fs::path& file : files_of(*source, image)) {
      write_file_atomically(target->folder() / file.filename(),
                            read_file(require_file(file, *source)));
    }
  }
  list->complete = true;
  write_map_list(*target, *list);
}

bool remove_case_maps(const fs::path& folder, const std::string& case_id) {
  const auto names = map_names(folder, case_id);
  std::error_code unknown;
  const bool had_list = fs::exists(fs::symlink_status(names->list(), unknown));
  // The list last: as long as an image stands, it is named.
  if (const std::optional<MapList> list = read_map_list(*names)) {
    for (const MapEntry& image : list->images) remove_image(*names, image);
  }
  remove_map_list(*names);
  remove_left_temporary_files(names->folder());
  std::error_code ignored;
  // Only where they are empty.
  for (fs::path left = names->folder(); left != folder / "maps"; left = left.parent_path()) {
    if (!fs::remove(left, ignored)) break;
  }
  return had_list;
}

std::vector<std::string> unlisted_images(const fs::path& folder, const std::string& case_id) {
  const auto names = map_names(folder, case_id);
  const std::optional<MapList> list = read_map_list(*names);
  std::vector<std::string> unlisted;
  std::error_code error;
  for (fs::directory_iterator entry(names->folder(), error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (!name.ends_with(kMapEnding) || !names->could_be_own(name)) continue;
    const bool listed =
        list && std::any_of(list->images.begin(), list->images.end(),
                            [&](const MapEntry& image) { return image.file == name; });
    if (!listed) unlisted.push_back(name);
  }
  std::sort(unlisted.begin(), unlisted.end());
  return unlisted;
}

void remove_left_temporary_maps(const fs::path& folder) {
  constexpr int kDeepest = 2;  // sub-01/ses-1/anat
  remove_left_temporary_files(folder / "maps");
  std::error_code error;
  for (fs::recursive_directory_iterator entry(folder / "maps", error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (!entry->is_directory(ignored) || entry->is_symlink(ignored)) continue;
    remove_left_temporary_files(entry->path());
    if (entry.depth() == kDeepest) entry.disable_recursion_pending();
  }
}

}  // namespace mcvol
