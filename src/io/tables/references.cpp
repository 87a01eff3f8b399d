#include "mcvol/io/tables/references.h"

#include "mcvol/error/error.h"
#include "mcvol/files/csv.h"
#include "mcvol/files/text.h"
#include "mcvol/io/images/image_endings.h"
#include "mcvol/io/images/image_file.h"

#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <system_error>

namespace mcvol {

namespace {

namespace fs = std::filesystem;

double volume_from(const std::string& text, const std::string& where) {
  double volume_ml = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, volume_ml);
  const bool number = parsed.ec == std::errc() && parsed.ptr == end && std::isfinite(volume_ml);
  if (!number || volume_ml < 0) {
    throw UsageError(where + ": volume_ml: expected a number from 0, found \"" + text + "\"");
  }
  return volume_ml;
}

int label_from(const std::string& text, const std::string& whole) {
  int label = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), label);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) {
    throw UsageError("--label-map: expected pairs such as 3=4,10=1, found \"" + whole + "\"");
  }
  return label;
}

/// A table that mcvol has written says what was measured, and calibrated on that, intervals would
/// hold themselves.
void require_known_volumes(const CsvTable& table, const std::string& file) {
  for (const std::string& column : table.header) {
    if (column != "level" && !column.starts_with("raw_")) continue;
    throw UsageError(file + ": a table of mcvol's own, found the column '" + column +
                     "'; expected reference volumes, which mcvol has not measured, such as those "
                     "of manual segmentations");
  }
}

}  // namespace

References read_reference_table(const fs::path& path) {
  const CsvTable table = read_csv(path);
  require_known_volumes(table, path.string());
  const std::string expected = "case_id, region and volume_ml";
  const std::size_t case_id = table.require_column("case_id", path.string(), expected);
  const std::size_t region = table.require_column("region", path.string(), expected);
  const std::size_t volume = table.require_column("volume_ml", path.string(), expected);
  References references;
  for (const CsvRecord& record : table.records) {
    const std::string where = line_of_file(path.string(), record.line);
    const std::pair key(record.fields[case_id], record.fields[region]);
    if (!references.emplace(key, volume_from(record.fields[volume], where)).second) {
      throw UsageError(where + ": " + key.first + ", " + key.second +
                       " is given twice; keep one of them");
    }
  }
  return references;
}

std::optional<fs::path> find_label_map(const fs::path& folder, const std::string& case_id) {
  std::optional<fs::path> found;
  for (const fs::path& within : {folder, folder / case_id}) {
    for (const char* ending : {"", "_seg", "-seg"}) {
      for (const std::string_view extension : kImageEndings) {
        const fs::path path = within / (case_id + ending + std::string(extension));
        std::error_code error;
        if (!fs::is_regular_file(path, error)) continue;
        if (found) {
          throw UsageError(case_id + ": two label maps, " + found->string() + " and " +
                           path.string() + "; keep one of them");
        }
        found = path;
      }
    }
  }
  return found;
}

std::vector<std::string> label_map_case_ids(const fs::path& folder) {
  std::set<std::string> ids;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    std::string id = entry->is_directory(error) ? name : image_stem(name);
    if (id != name) {
      const std::size_t separator = id.find_last_of("_-");
      if (id.ends_with("_seg") || id.ends_with("-seg")) {
        id.resize(id.size() - 4);
      } else if (separator != std::string::npos &&
                 find_label_map(folder, id.substr(0, separator))) {
        continue;  // an image of the case that the label map is of
      }
    } else if (!find_label_map(folder, id)) {
      continue;
    }
    if (!id.empty()) ids.insert(id);
  }
  return {ids.begin(), ids.end()};
}

LabelMapVolumes volumes_of_label_map(const fs::path& path, const LabelMeaning& meaning) {
  const Image<std::int32_t> labels = read_label_map(path);
  std::map<std::int32_t, std::int64_t> counts;
  for (const std::int32_t label : labels.values) ++counts[label];
  counts.erase(0);
  LabelMapVolumes volumes;
  volumes.regions_ml.assign(meaning.regions.size(), 0.0);
  for (const auto& [value, count] : counts) {
    const auto mapped = meaning.remapped.find(value);
    const int label = mapped == meaning.remapped.end() ? value : mapped->second;
    const double volume_ml = static_cast<double>(count) * labels.grid.voxel_volume_ml();
    bool known = label == 0;
    for (std::size_t r = 0; r < meaning.regions.size(); ++r) {
      if (!meaning.regions[r].labels.contains(label)) continue;
      known = true;
      volumes.regions_ml[r] += volume_ml;
    }
    if (!known) {
      throw UnknownLabelError(path.string() + ": the value " + std::to_string(value) +
                                  " belongs to no region of the model; say what it stands for "
                                  "with --label-map " +
                                  std::to_string(value) + "=LABEL (0 for background)",
                              value);
    }
    volumes.values.insert(value);
    if (label != 0) volumes.labels_ml[label] += volume_ml;
  }
  return volumes;
}

std::map<int, int> parse_label_mapping(const std::string& text) {
  std::map<int, int> mapping;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    const std::string pair = text.substr(begin, end - begin);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string to = equals < pair.size() ? pair.substr(equals + 1) : "";
    mapping[label_from(pair.substr(0, equals), text)] = label_from(to, text);
    begin = end + 1;
  }
  return mapping;
}

}  // namespace mcvol
