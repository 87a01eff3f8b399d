#include "mcvol/io/tables/references.h"

#include "mcvol/calibration/conformity_score.h"
#include "mcvol/error/error.h"
#include "mcvol/files/csv.h"
#include "mcvol/files/text.h"
#include "mcvol/io/images/image_endings.h"
#include "mcvol/io/images/image_file.h"
#include "mcvol/volumetry/normal.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <system_error>
#include <tuple>

namespace mcvol {

namespace {

namespace fs = std::filesystem;

/// Whatever the unit, no head is larger.
constexpr double kMostMl = 1e9;

double millilitres_from(const std::string& text, const char* column, const std::string& where) {
  double ml = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, ml);
  const bool number = parsed.ec == std::errc() && parsed.ptr == end && std::isfinite(ml);
  if (!number || ml < 0 || ml > kMostMl) {
    throw UsageError(where + ": " + column + ": expected a number from 0" +
                     (number && ml > kMostMl ? " to 1e9" : "") + ", found \"" + text + "\"");
  }
  return ml;
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

/// From rows, several of a case and region where there are raters, to one reference of each.
class ReadingsOfTable {
 public:
  ReadingsOfTable(const CsvTable& table, const std::string& file)
      : table_(table),
        file_(file),
        rater_(table.column("rater")),
        sd_(table.column("volume_sd_ml")) {
    const std::string expected = "case_id, region and volume_ml";
    case_id_ = table.require_column("case_id", file, expected);
    region_ = table.require_column("region", file, expected);
    volume_ = table.require_column("volume_ml", file, expected);
    if (rater_ && sd_) {
      throw UsageError(file +
                       ": has the columns rater and volume_sd_ml; expected one of them: readings "
                       "already scatter as raters do");
    }
  }

  ReferenceTable references() {
    for (const CsvRecord& record : table_.records) add(record);
    for (const auto& [case_id, of_case] : readings_) choose(case_id);
    return {std::move(volumes_), said()};
  }

 private:
  void add(const CsvRecord& record) {
    const std::string where = line_of_file(file_, record.line);
    const std::pair key(record.fields[case_id_], record.fields[region_]);
    const std::string rater = rater_ ? record.fields[*rater_] : "";
    if (rater_ && rater.empty()) {
      throw UsageError(where + ": rater: expected a name, found nothing");
    }
    if (!raters_[key].insert(rater).second) {
      throw UsageError(where + ": " + key.first + ", " + key.second + (rater_ ? ", " + rater : "") +
                       " is given twice; keep one of them");
    }
    double volume_ml = millilitres_from(record.fields[volume_], "volume_ml", where);
    if (sd_) volume_ml = reading_of(key, volume_ml, record.fields[*sd_], where);
    readings_[key.first][rater][key.second] = volume_ml;
  }

  /// Raters who read more regions of the case come first, of equals the one whose draw is less.
  void choose(const std::string& case_id) {
    std::vector<std::tuple<std::ptrdiff_t, double, const std::map<std::string, double>*>> raters;
    for (const auto& [rater, regions] : readings_[case_id]) {
      const double draw = rater_ ? atom_uniform(case_id, "rater\n" + rater) : 0;
      raters.emplace_back(-std::ssize(regions), draw, &regions);
    }
    std::sort(raters.begin(), raters.end());
    for (const auto& [count, draw, regions] : raters) {
      for (const auto& [region, volume_ml] : *regions) {
        volumes_.emplace(std::pair(case_id, region), volume_ml);
      }
    }
  }

  static double reading_of(const std::pair<std::string, std::string>& key, double volume_ml,
                           const std::string& sd, const std::string& where) {
    const double sd_ml = millilitres_from(sd, "volume_sd_ml", where);
    const double z = probit(atom_uniform(key.first, "reading\n" + key.second));
    return std::max(0.0, volume_ml + sd_ml * z);
  }

  std::string said() const {
    if (sd_) {
      return file_ +
             ": readings drawn by volume_sd_ml are the references: intervals hold a reading";
    }
    if (!rater_) return "";
    std::set<std::string> all;
    std::size_t most = 0;
    for (const auto& [key, raters] : raters_) {
      all.insert(raters.begin(), raters.end());
      most = std::max(most, raters.size());
    }
    return file_ + ": " + std::to_string(all.size()) + " rater(s), up to " + std::to_string(most) +
           " of a case; of each case the reading of one of them, drawn, is the reference: "
           "intervals "
           "hold a reading";
  }

  const CsvTable& table_;
  const std::string& file_;
  std::optional<std::size_t> rater_, sd_;
  std::size_t case_id_ = 0, region_ = 0, volume_ = 0;
  std::map<std::pair<std::string, std::string>, std::set<std::string>> raters_;
  /// By case, rater and region.
  std::map<std::string, std::map<std::string, std::map<std::string, double>>> readings_;
  References volumes_;
};

int label_of_value(std::int32_t value, const LabelMeaning& meaning) {
  const auto mapped = meaning.remapped.find(value);
  return mapped == meaning.remapped.end() ? value : mapped->second;
}

/// @throws InputError for a segmentation that cannot be read, or lies on another grid.
double dice_of(const fs::path& segmentation, const LabelMeaning::Region& region,
               const Image<std::int32_t>& labels, const LabelMeaning& meaning) {
  const Image<std::int32_t> segmented = read_label_map(segmentation);
  if (!same_grid(segmented.grid, labels.grid)) {
    throw InputError("it has " + describe(labels.grid) + ", the saved segmentation of " +
                     region.name + " has " + describe(segmented.grid) + " or lies elsewhere");
  }
  std::int32_t last = 0;  // most voxels are as the one before
  bool is_in = region.labels.contains(label_of_value(last, meaning));
  std::int64_t both = 0, sizes = 0;
  for (std::size_t v = 0; v < labels.values.size(); ++v) {
    if (labels.values[v] != last) {
      last = labels.values[v];
      is_in = region.labels.contains(label_of_value(last, meaning));
    }
    const bool is_segmented = segmented.values[v] != 0;
    both += is_in && is_segmented ? 1 : 0;
    sizes += (is_in ? 1 : 0) + (is_segmented ? 1 : 0);
  }
  return sizes == 0 ? 1.0 : 2.0 * static_cast<double>(both) / static_cast<double>(sizes);
}

/// Of all regions or of none.
void compare_with(const std::vector<fs::path>& segmentations, const fs::path& path,
                  const Image<std::int32_t>& labels, const LabelMeaning& meaning,
                  LabelMapVolumes& volumes) {
  try {
    for (std::size_t r = 0; r < meaning.regions.size(); ++r) {
      volumes.dice.push_back(dice_of(segmentations.at(r), meaning.regions[r], labels, meaning));
    }
  } catch (const InputError& error) {
    volumes.dice.clear();
    volumes.why_no_dice = path.string() + ": " + error.what();
  }
}

}  // namespace

ReferenceTable read_reference_table(const fs::path& path) {
  const CsvTable table = read_csv(path);
  require_known_volumes(table, path.string());
  return ReadingsOfTable(table, path.string()).references();
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

LabelMapVolumes volumes_of_label_map(const fs::path& path, const LabelMeaning& meaning,
                                     const std::vector<fs::path>& segmentations) {
  const Image<std::int32_t> labels = read_label_map(path);
  std::map<std::int32_t, std::int64_t> counts;
  for (const std::int32_t label : labels.values) ++counts[label];
  counts.erase(0);
  LabelMapVolumes volumes;
  volumes.regions_ml.assign(meaning.regions.size(), 0.0);
  for (const auto& [value, count] : counts) {
    const int label = label_of_value(value, meaning);
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
  if (!segmentations.empty()) compare_with(segmentations, path, labels, meaning, volumes);
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
