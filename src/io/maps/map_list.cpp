#include "mcvol/io/maps/map_list.h"

#include "mcvol/error/error.h"
#include "mcvol/files/json_fields.h"
#include "mcvol/files/text_file.h"
#include "mcvol/io/maps/map_names.h"

#include <algorithm>
#include <iterator>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using nlohmann::ordered_json;

constexpr int kFormat = 1;

/// Never a file elsewhere, and none that is no image, whatever stands there.
bool is_image_name(const std::string& name) {
  const auto is_odd = [](char c) { return c == '/' || static_cast<unsigned char>(c) < 0x20; };
  return name.ends_with(kMapEnding) && !name.starts_with('.') &&
         std::none_of(name.begin(), name.end(), is_odd);
}

/// Of a number that may be null or not there.
std::optional<double> number_if_there(JsonFields& fields, const std::string& key) {
  if (!fields.has(key) || fields.at(key).is_null()) return std::nullopt;
  return fields.number(key);
}

MapEntry entry_from(JsonFields fields) {
  MapEntry entry;
  entry.file = fields.text("file");
  entry.kind = fields.text("kind");
  if (entry.kind != "labels") entry.region = fields.text("region");
  if (fields.has("level")) entry.level = fields.text("level");
  entry.volume_ml = number_if_there(fields, "volume_ml");
  entry.drawn_ml = number_if_there(fields, "drawn_ml");
  entry.threshold = number_if_there(fields, "threshold");
  fields.finish();
  const bool is_set = entry.kind == "segmentation" || entry.kind == "bounds";
  if (!is_image_name(entry.file)) fields.fail("file", "expected the name of an image");
  const bool is_known = std::any_of(kMapKinds.begin(), kMapKinds.end(),
                                    [&](const MapKind& kind) { return entry.kind == kind.word; });
  if (!is_known) fields.fail("kind", "expected one of those written");
  if (is_set != entry.volume_ml.has_value()) fields.fail("volume_ml", "expected of sets only");
  if ((entry.kind == "bounds") != entry.level.has_value()) {
    fields.fail("level", "expected of bounds only");
  }
  return entry;
}

/// @throws Error for anything but what write_map_list() writes.
MapList list_from(const std::string& text, const std::string& file) {
  const JsonFail fail = [](const std::string& message) { throw Error(message); };
  const json whole = parse_json(text, file, fail);
  JsonFields fields(whole, "", fail);
  if (fields.integer("format") != kFormat) fields.fail("format", "expected 1");
  MapList list;
  list.case_id = fields.text("case_id");
  list.grid_of = fields.text("grid_of");
  list.origin.run_identity = fields.text("run_identity");
  list.complete = fields.boolean("complete");
  for (const json& sha256 : fields.array("inputs")) {
    if (!sha256.is_string()) fields.fail("inputs", "expected texts");
    list.origin.inputs.push_back(sha256.get<std::string>());
  }
  for (const json& image : fields.array("images")) {
    list.images.push_back(entry_from(JsonFields(image, fields.path_of("images"), fail)));
  }
  fields.finish();
  return list;
}

ordered_json json_of(const MapEntry& entry) {
  ordered_json written{{"file", entry.file}, {"kind", entry.kind}};
  if (!entry.region.empty()) written["region"] = entry.region;
  if (entry.level) written["level"] = *entry.level;
  if (entry.volume_ml) written["volume_ml"] = *entry.volume_ml;
  if (entry.drawn_ml) written["drawn_ml"] = *entry.drawn_ml;
  if (entry.kind == "segmentation" && entry.drawn_ml) {
    written["threshold"] = entry.threshold ? ordered_json(*entry.threshold) : ordered_json();
  }
  return written;
}

}  // namespace

MapsOrigin::MapsOrigin(std::string run, const std::vector<InputFile>& files)
    : run_identity(std::move(run)) {
  for (const InputFile& file : files) inputs.push_back(digest_of(file));
}

std::vector<MapEntry> MapList::of_kind(const std::string& kind) const {
  std::vector<MapEntry> found;
  std::copy_if(images.begin(), images.end(), std::back_inserter(found),
               [&](const MapEntry& image) { return image.kind == kind; });
  return found;
}

std::optional<MapList> read_map_list(const MapNames& names) {
  std::error_code error;
  // Opening a pipe would wait for its other end.
  if (!fs::is_regular_file(names.list(), error)) return std::nullopt;
  try {
    MapList list = list_from(read_file(names.list()), names.list_name());
    if (list.case_id == names.case_id()) return list;
  } catch (const Error&) {
    // As good as none.
  }
  return std::nullopt;
}

void write_map_list(const MapNames& names, const MapList& list) {
  ordered_json images = ordered_json::array();
  for (const MapEntry& entry : list.images) images.push_back(json_of(entry));
  const ordered_json written{{"format", kFormat},
                             {"case_id", list.case_id},
                             {"run_identity", list.origin.run_identity},
                             {"inputs", list.origin.inputs},
                             {"grid_of", list.grid_of},
                             {"complete", list.complete},
                             {"images", images}};
  write_file_atomically(names.list(),
                        written.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

void remove_map_list(const MapNames& names) {
  const fs::path list = names.list();
  std::error_code error;
  const fs::file_type type = fs::symlink_status(list, error).type();
  if (type == fs::file_type::not_found || type == fs::file_type::directory) return;
  remove_file(list);
}

}  // namespace mcvol
