#include "mcvol/pipeline/case_maps.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "map_drawing.h"
#include "map_files.h"
#include "map_images.h"
#include "map_list.h"

namespace mcvol {

namespace fs = std::filesystem;

MapsOrigin::MapsOrigin(std::string run, const std::vector<InputFile>& files)
    : run_identity(std::move(run)) {
  for (const InputFile& file : files) inputs.push_back(file.sha256);
}

fs::path maps_folder(const fs::path& folder, const std::string& case_id) {
  return folder / "maps" / case_id;
}

void write_case_maps(const fs::path& folder, const CaseRecord& record,
                     const std::vector<RegionMap>& maps, const std::vector<VolumeRow>& rows,
                     const MapChoice& choice, const ImageSource& source,
                     const LabelPainting& painting) {
  const fs::path to = maps_folder(folder, record.case_id);
  std::vector<std::string> regions;
  for (const RegionMap& map : maps) regions.push_back(map.region);
  MapList list;
  list.case_id = record.case_id;
  list.grid_of = source.name();
  list.origin = MapsOrigin(record.run_identity, record.inputs);
  list.images = images_of(regions, rows, choice);
  write_map_list(to, list);
  for (MapEntry& image : list.images) {
    write_map(to / image.file, draw_map(image, {maps, rows, painting}), source);
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
  for (const MapKind& kind : kMapKinds) {
    if (choice.*kind.chosen && !has_images(maps, *list, kind.word)) return false;
  }
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
    write_file_atomically(target / image.file, read_file(require_image_file(source / image.file)));
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
