#include "saved_maps.h"

#include "mcvol/error/error.h"
#include "mcvol/io/maps/map_names.h"
#include "mcvol/pipeline/case_loader.h"

#include <exception>
#include <optional>
#include <string>
#include <utility>

#include "map_sizes.h"

namespace mcvol {

void SavedMaps::begin() {
  if (options_.save.any()) begin_map_layout(plan_.folder, plan_.map_layout, options_.version);
}

void SavedMaps::say_sizes(
    const std::function<std::optional<double>(const std::filesystem::path&)>& free_bytes) {
  if (!options_.save.any()) return;
  const std::optional<MapSizes> sizes = map_sizes(plan_, options_.levels.size(), options_.save);
  if (!sizes) return;
  const std::string all = bytes_in_words(sizes->bytes);
  const std::string needed =
      "images to save: about " +
      (sizes->cases == 1 ? all + " for 1 case"
                         : bytes_in_words(sizes->bytes / sizes->cases) + " a case, " + all +
                               " for " + std::to_string(sizes->cases) + " cases");
  const std::optional<double> free = free_bytes(plan_.folder);
  if (free && *free < sizes->bytes) {
    observer_.warn(needed + ", but the disk of " + plan_.folder.string() + " has " +
                   bytes_in_words(*free) + " left");
  } else {
    observer_.note(needed);
  }
}

int SavedMaps::renew_bounds_of_kept() {
  int failed = 0;
  for (PlannedCase& planned : plan_.cases) {
    if (planned.action != CaseAction::kKeep) continue;
    if (renew_bounds_of(planned.scan.case_id) || !options_.save.any()) continue;
    planned.action = CaseAction::kMeasure;
    planned.reason = "measured before, without the images to save";
    ++failed;
  }
  return failed;
}

/// False where it cannot be done.
bool SavedMaps::renew_bounds_of(const std::string& case_id) {
  try {
    const std::optional<MapList> list = read_map_list(*map_names(plan_.folder, case_id));
    if (!list || !list->has("bounds")) return true;
    const CaseRecord record = read_case_record(plan_.folder, case_id);
    renew_bounds(plan_.folder, record, rows_of(record, options_.levels, plan_.calibration.get()));
    return true;
  } catch (const DiskError&) {
    throw;
  } catch (const std::exception& error) {
    observer_.warn(case_id + ": its saved bounds are not those of the table, and cannot be: " +
                   message_of(error) +
                   (options_.save.any() ? "; it is measured again"
                                        : "; with --save bounds it is measured again"));
  }
  return false;
}

void SavedMaps::take(const ScanCase& scan, const PreparedScan& prepared,
                     const HistogramSink& sink) {
  maps_.clear();
  if (!options_.save.any()) return;
  try {
    maps_ = region_maps(prepared, sink, region_names(plan_.bundle));
  } catch (const std::exception& error) {
    go_without(scan.case_id, case_error(error, scan));
  }
}

void SavedMaps::write(const CaseRecord& record, const std::vector<VolumeRow>& rows,
                      const ImageSource& source) {
  const std::vector<RegionMap> maps = std::exchange(maps_, {});
  if (maps.empty()) return;
  try {
    write_case_maps(plan_.folder, record, maps, rows, options_.save, source, painting_, had_list_);
  } catch (const std::exception& error) {
    std::string reason = message_of(error);
    try {
      remove_case_maps(plan_.folder, record.case_id);
    } catch (const std::exception& left) {
      reason += "; " + message_of(left);
    }
    // Those of the next case could not be written either. This one is measured again for them.
    if (dynamic_cast<const DiskError*>(&error) != nullptr) throw;
    go_without(record.case_id, reason);
  }
}

void SavedMaps::warn_of_unlisted(const std::string& case_id) {
  const std::vector<std::string> names = unlisted_images(plan_.folder, case_id);
  if (names.empty()) return;
  observer_.warn(case_id + ": " + (maps_folder(plan_.folder, case_id) / names.front()).string() +
                 (names.size() > 1 ? " (and " + std::to_string(names.size() - 1) + " more)" : "") +
                 ": not of this measurement; move or remove it");
}

void SavedMaps::go_without(const std::string& case_id, const std::string& reason) {
  observer_.warn(case_id + ": measured, but without its saved images: " + reason);
}

}  // namespace mcvol
