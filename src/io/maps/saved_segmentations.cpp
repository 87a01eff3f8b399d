#include "mcvol/io/maps/saved_segmentations.h"

#include "mcvol/io/maps/map_files.h"
#include "mcvol/io/maps/map_list.h"
#include "mcvol/io/maps/map_names.h"

#include <algorithm>

namespace mcvol {

namespace fs = std::filesystem;

std::optional<std::vector<fs::path>> saved_segmentations(const fs::path& folder,
                                                         const CaseRecord& record) {
  const auto names = map_names(folder, record.case_id);
  const std::optional<MapList> list = read_map_list(*names);
  if (!list || !list->complete) return std::nullopt;
  if (list->origin != MapsOrigin(record.run_identity, record.inputs)) return std::nullopt;
  const std::vector<MapEntry> images = list->of_kind("segmentation");
  if (!all_there(*names, images)) return std::nullopt;
  std::vector<fs::path> paths;
  for (const RegionRecord& region : record.regions) {
    const auto image = std::find_if(images.begin(), images.end(), [&](const MapEntry& one) {
      return one.region == region.region;
    });
    if (image == images.end()) return std::nullopt;
    paths.push_back(names->folder() / image->file);
  }
  return paths;
}

}  // namespace mcvol
