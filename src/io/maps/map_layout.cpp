#include "mcvol/io/maps/map_layout.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"
#include "mcvol/io/scans/data_set.h"

#include <system_error>

#include <nlohmann/json.hpp>

namespace mcvol {
namespace {

namespace fs = std::filesystem;

/// The first version of BIDS in which labels may have a `+`.
constexpr const char* kBidsVersion = "1.11.0";

/// What BIDS has no names for (docs/formats.md).
constexpr const char* kIgnored = "*_maps.json\n*_sd.*\n*_agreement.*\n*_entropy.*\n";

fs::path description_path(const fs::path& folder) {
  return folder / "maps" / "dataset_description.json";
}

/// A symbolic link to nothing is there, too: what is written would go where it leads.
bool is_there(const fs::path& path) {
  std::error_code error;
  return fs::exists(fs::symlink_status(path, error));
}

bool has_case_folder(const fs::path& maps) {
  std::error_code error;
  for (fs::directory_iterator entry(maps, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (fs::is_regular_file(entry->path() / "maps.json", ignored)) return true;
  }
  return false;
}

/// A list of images in BIDS layout; empty where there is none.
fs::path bids_list_in(const fs::path& maps) {
  constexpr int kDeepest = 2;  // sub-01/ses-1/anat
  std::error_code error;
  for (fs::recursive_directory_iterator entry(maps, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (entry.depth() == 0 && !name.starts_with("sub-")) entry.disable_recursion_pending();
    if (entry.depth() > kDeepest) entry.disable_recursion_pending();
    if (entry.depth() > 1 && name.starts_with("sub-") && name.ends_with("_maps.json")) {
      return entry->path();
    }
  }
  return {};
}

void begin_bids(const fs::path& folder, const std::string& description) {
  // The description last: it is what says that the rest is there.
  const fs::path ignored = folder / "maps" / ".bidsignore";
  if (!is_there(ignored)) write_file_atomically(ignored, kIgnored);
  if (!is_there(description_path(folder))) {
    write_file_atomically(description_path(folder), description);
  }
}

}  // namespace

std::string to_string(MapLayout layout) { return layout == MapLayout::kBids ? "bids" : "cases"; }

std::optional<MapLayout> map_layout_from(const std::string& word) {
  for (const MapLayout layout : {MapLayout::kCases, MapLayout::kBids}) {
    if (word == to_string(layout)) return layout;
  }
  return std::nullopt;
}

std::optional<MapLayout> map_layout_of(const fs::path& folder) {
  if (is_data_set_of_mcvol(folder / "maps")) return MapLayout::kBids;
  if (has_case_folder(folder / "maps")) return MapLayout::kCases;
  return std::nullopt;
}

void require_known_map_layout(const fs::path& folder) {
  if (is_data_set_of_mcvol(folder / "maps")) return;
  const fs::path list = bids_list_in(folder / "maps");
  if (list.empty()) return;
  throw UsageError(description_path(folder).string() + ": " +
                   (is_there(description_path(folder)) ? "not JSON, or without mcvol in GeneratedBy"
                                                       : "not there") +
                   ", but there are images of it, such as of " + list.string() +
                   "; put back what it was, or move the folder maps elsewhere");
}

MapLayout map_layout_in_use(const fs::path& folder) {
  return is_data_set_of_mcvol(folder / "maps") ? MapLayout::kBids : MapLayout::kCases;
}

MapLayout chosen_map_layout(const fs::path& folder, std::optional<MapLayout> asked,
                            bool scans_are_bids) {
  const MapLayout otherwise = asked.value_or(scans_are_bids ? MapLayout::kBids : MapLayout::kCases);
  if (folder.empty()) return otherwise;
  const std::optional<MapLayout> found = map_layout_of(folder);
  if (found && asked && *found != *asked) {
    throw UsageError((folder / "maps").string() + ": has images in layout " + to_string(*found) +
                     ", expected those of --save-layout " + to_string(*asked) +
                     "; leave the option out to go on with them, or move the folder elsewhere");
  }
  if (found) return *found;
  if (otherwise == MapLayout::kBids && is_there(description_path(folder))) {
    throw UsageError(description_path(folder).string() +
                     ": not written by mcvol, which would write its own there; move it elsewhere, "
                     "or save images in layout cases");
  }
  return otherwise;
}

void begin_map_layout(const fs::path& folder, MapLayout layout, const std::string& version) {
  if (layout == MapLayout::kCases) return;
  const nlohmann::ordered_json description{
      {"Name", "Images of volumes measured by mcvol"},
      {"BIDSVersion", kBidsVersion},
      {"DatasetType", "derivative"},
      {"GeneratedBy", nlohmann::ordered_json::array({{{"Name", "mcvol"}, {"Version", version}}})}};
  begin_bids(folder, description.dump(2) + "\n");
}

void begin_map_layout_of(const fs::path& other, const fs::path& folder) {
  if (map_layout_of(other) != MapLayout::kBids) return;
  begin_bids(folder, read_file(description_path(other)));
}

}  // namespace mcvol
