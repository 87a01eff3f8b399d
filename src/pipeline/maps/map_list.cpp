#include "map_list.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include <nlohmann/json.hpp>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr int kFormat = 1;

fs::path list_path(const fs::path& maps) { return maps / "maps.json"; }

/// Takes fields of the types they are written with; any other leaves `ok` false.
class Fields {
 public:
  explicit Fields(const ordered_json& object) : object_(object), ok_(object.is_object()) {}

  bool ok() const { return ok_; }
  void refuse() { ok_ = false; }

  const ordered_json& at(const char* name) {
    static const ordered_json kNone;
    const bool there = ok_ && object_.contains(name);
    return there ? object_.at(name) : kNone;
  }
  std::string text(const char* name) {
    const ordered_json& value = at(name);
    if (value.is_string()) return value.get<std::string>();
    ok_ = false;
    return {};
  }
  bool truth(const char* name) {
    const ordered_json& value = at(name);
    if (value.is_boolean()) return value.get<bool>();
    ok_ = false;
    return false;
  }
  std::optional<std::string> text_if_there(const char* name) {
    if (at(name).is_null()) return std::nullopt;
    return text(name);
  }
  std::optional<double> number_if_there(const char* name) {
    const ordered_json& value = at(name);
    if (value.is_number()) return value.get<double>();
    if (!value.is_null()) ok_ = false;
    return std::nullopt;
  }
  const ordered_json& list(const char* name) {
    static const ordered_json kEmpty = ordered_json::array();
    const ordered_json& value = at(name);
    if (value.is_array()) return value;
    ok_ = false;
    return kEmpty;
  }

 private:
  const ordered_json& object_;
  bool ok_;
};

/// Never a file elsewhere, and none that is no image, whatever stands there.
bool is_image_name(const std::string& name) {
  const auto is_odd = [](char c) { return c == '/' || static_cast<unsigned char>(c) < 0x20; };
  return name.ends_with(kMapEnding) && !name.starts_with('.') &&
         std::none_of(name.begin(), name.end(), is_odd);
}

std::optional<MapEntry> entry_from(const ordered_json& json) {
  Fields fields(json);
  MapEntry entry;
  entry.file = fields.text("file");
  entry.kind = fields.text("kind");
  entry.region = fields.text("region");
  entry.level = fields.text_if_there("level");
  entry.volume_ml = fields.number_if_there("volume_ml");
  entry.drawn_ml = fields.number_if_there("drawn_ml");
  entry.threshold = fields.number_if_there("threshold");
  const bool is_set = entry.kind == "segmentation" || entry.kind == "bounds";
  const bool good =
      fields.ok() && is_image_name(entry.file) && (is_set || entry.kind == "probability") &&
      is_set == entry.volume_ml.has_value() && (entry.kind == "bounds") == entry.level.has_value();
  return good ? std::optional(std::move(entry)) : std::nullopt;
}

std::optional<MapList> list_from(const ordered_json& json) {
  Fields fields(json);
  if (fields.at("format") != kFormat) return std::nullopt;
  MapList list;
  list.case_id = fields.text("case_id");
  list.grid_of = fields.text("grid_of");
  list.origin.run_identity = fields.text("run_identity");
  list.complete = fields.truth("complete");
  for (const ordered_json& sha256 : fields.list("inputs")) {
    if (!sha256.is_string()) return std::nullopt;
    list.origin.inputs.push_back(sha256.get<std::string>());
  }
  for (const ordered_json& image : fields.list("images")) {
    std::optional<MapEntry> entry = entry_from(image);
    if (!entry) return std::nullopt;
    list.images.push_back(std::move(*entry));
  }
  return fields.ok() ? std::optional(std::move(list)) : std::nullopt;
}

ordered_json json_of(const MapEntry& entry) {
  ordered_json json{{"file", entry.file}, {"kind", entry.kind}, {"region", entry.region}};
  if (entry.level) json["level"] = *entry.level;
  if (entry.volume_ml) json["volume_ml"] = *entry.volume_ml;
  if (entry.drawn_ml) json["drawn_ml"] = *entry.drawn_ml;
  if (entry.kind == "segmentation" && entry.drawn_ml) {
    json["threshold"] = entry.threshold ? ordered_json(*entry.threshold) : ordered_json();
  }
  return json;
}

}  // namespace

std::vector<std::string> MapList::files(const std::string& kind) const {
  std::vector<std::string> names;
  for (const MapEntry& image : images) {
    if (image.kind == kind) names.push_back(image.file);
  }
  return names;
}

std::optional<MapList> read_map_list(const fs::path& maps) {
  std::error_code error;
  // Opening a pipe would wait for its other end.
  if (!fs::is_regular_file(list_path(maps), error)) return std::nullopt;
  try {
    std::optional<MapList> list =
        list_from(ordered_json::parse(read_file(list_path(maps)), nullptr, false));
    return list && list->case_id == maps.filename().string() ? list : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

void write_map_list(const fs::path& maps, const MapList& list) {
  ordered_json images = ordered_json::array();
  for (const MapEntry& entry : list.images) images.push_back(json_of(entry));
  const ordered_json json{{"format", kFormat},
                          {"case_id", list.case_id},
                          {"run_identity", list.origin.run_identity},
                          {"inputs", list.origin.inputs},
                          {"grid_of", list.grid_of},
                          {"complete", list.complete},
                          {"images", images}};
  write_file_atomically(list_path(maps),
                        json.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n");
}

void remove_map_list(const fs::path& maps) {
  std::error_code error;
  const fs::file_type type = fs::symlink_status(list_path(maps), error).type();
  if (type == fs::file_type::not_found || type == fs::file_type::directory) return;
  fs::remove(list_path(maps), error);
  if (error) throw Error(list_path(maps).string() + ": cannot remove: " + error.message());
}

}  // namespace mcvol
