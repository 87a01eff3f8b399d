#include "mcvol/error/error.h"
#include "mcvol/files/base64.h"
#include "mcvol/io/scans/scan_discovery.h"

#include <algorithm>
#include <array>
#include <set>

#include "case_record_json.h"
#include "image_quality_json.h"

namespace mcvol {

namespace {

using nlohmann::json;

/// Reads the parts of one record; every finding goes out through `fail`, which names the file.
class RecordReader {
 public:
  explicit RecordReader(JsonFail fail) : fail_(std::move(fail)) {}

  CaseRecord read(const json& whole) const {
    check_format(whole);
    JsonFields fields(whole, "", fail_);
    fields.integer("format");
    CaseRecord record;
    record.case_id = fields.text("case_id");
    if (!is_valid_case_id(record.case_id)) {
      fields.fail("case_id", "expected letters, digits, '.', '_', '-' and '+', found \"" +
                                 record.case_id + "\"");
    }
    record.status = status_in(fields);
    const bool failed = record.status == CaseRecord::Status::kFailed;
    if (failed) record.error = text_in(fields, "error");
    record.run_identity = sha256_in(fields, "run_identity");
    record.model = sha256_in(fields, "model");
    record.flags = flags_in(fields);
    // In format 4, which has them where there are any.
    if (fields.has("notes")) record.notes = notes_in(fields);
    record.inputs = inputs_in(fields);
    if (!failed) read_measurement(fields, record);
    fields.finish();
    return record;
  }

 private:
  void check_format(const json& whole) const {
    if (!whole.is_object()) fail_("expected a JSON object");
    const auto format = whole.find("format");
    if (format == whole.end() || !format->is_number_integer() || *format < 1) {
      fail_("format: expected a whole number from 1; this is no case record");
    }
    if (*format > kCaseRecordFormat) {
      fail_("format: " + format->dump() + " is newer than this mcvol reads (" +
            std::to_string(kCaseRecordFormat) + "); update mcvol");
    }
  }

  static CaseRecord::Status status_in(JsonFields& fields) {
    const std::string status = fields.text("status");
    if (status == "ok") return CaseRecord::Status::kOk;
    if (status == "failed") return CaseRecord::Status::kFailed;
    fields.fail("status", "expected \"ok\" or \"failed\", found \"" + status + "\"");
  }

  static std::string text_in(JsonFields& fields, const std::string& key) {
    std::string text = fields.text(key);
    if (text.empty()) fields.fail(key, "expected a text, found an empty one");
    return text;
  }

  static std::string sha256_in(JsonFields& fields, const std::string& key) {
    std::string text = fields.text(key);
    const bool valid =
        text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!valid) fields.fail(key, "expected 64 hexadecimal digits, found \"" + text + "\"");
    return text;
  }

  std::int64_t integer_of(const json& value, const std::string& path, std::int64_t least) const {
    if (!value.is_number_integer()) fail_(path + ": expected an integer, found " + value.dump());
    const auto integer = value.get<std::int64_t>();
    if (integer < least) {
      fail_(path + ": expected at least " + std::to_string(least) + ", found " + value.dump());
    }
    return integer;
  }

  double number_of(const json& value, const std::string& path) const {
    if (!value.is_number()) fail_(path + ": expected a number, found " + value.dump());
    return value.get<double>();
  }

  static std::string at_index(const std::string& path, std::size_t index) {
    return path + "[" + std::to_string(index) + "]";
  }

  std::vector<std::string> flags_in(JsonFields& fields) const {
    std::vector<std::string> flags;
    const json& array = fields.array("flags");
    for (std::size_t n = 0; n < array.size(); ++n) {
      const std::string path = at_index("flags", n);
      if (!array[n].is_string()) fail_(path + ": expected a text, found " + array[n].dump());
      flags.push_back(array[n]);
      // The table joins flags by semicolons.
      if (flags.back().empty() || flags.back().find_first_of(";\n\r") != std::string::npos) {
        fail_(path + ": expected a flag, found " + array[n].dump());
      }
    }
    return flags;
  }

  std::vector<std::string> notes_in(JsonFields& fields) const {
    std::vector<std::string> notes;
    for (const json& note : fields.array("notes")) {
      if (!note.is_string() || note.get<std::string>().empty()) {
        fields.fail("notes", "expected texts, found " + note.dump());
      }
      notes.push_back(note);
    }
    return notes;
  }

  std::vector<InputFile> inputs_in(JsonFields& fields) const {
    std::vector<InputFile> inputs;
    const json& array = fields.array("inputs");
    for (std::size_t n = 0; n < array.size(); ++n) {
      JsonFields entry(array[n], at_index("inputs", n), fail_);
      InputFile input;
      input.channel = entry.text("channel");
      input.file_name = entry.text("file_name");
      if (input.file_name.find('/') != std::string::npos) {
        entry.fail("file_name",
                   "expected a name without folder, found \"" + input.file_name + "\"");
      }
      // Of 4-D files, in format 4.
      if (entry.has("index")) {
        input.index = integer_of(entry.at("index"), entry.path_of("index"), 0);
      }
      input.sha256 = sha256_in(entry, "sha256");
      input.size_bytes = integer_of(entry.at("size_bytes"), entry.path_of("size_bytes"), 0);
      input.mtime_ns = entry.integer("mtime_ns");
      entry.finish();
      inputs.push_back(std::move(input));
    }
    return inputs;
  }

  const json& array_of(JsonFields& fields, const std::string& key, std::size_t size) const {
    const json& array = fields.array(key);
    if (array.size() != size) {
      fields.fail(key, "expected " + std::to_string(size) + " values, found " +
                           std::to_string(array.size()));
    }
    return array;
  }

  Eigen::Vector3d vector_of(const json& array, const std::string& path) const {
    if (!array.is_array() || array.size() != 3) fail_(path + ": expected 3 numbers");
    Eigen::Vector3d vector;
    for (std::size_t n = 0; n < 3; ++n) {
      vector[static_cast<int>(n)] = number_of(array[n], at_index(path, n));
    }
    return vector;
  }

  Grid grid_in(JsonFields fields) const {
    Grid grid;
    const json& size = array_of(fields, "size", 3);
    for (std::size_t n = 0; n < 3; ++n) {
      grid.size[n] = integer_of(size[n], at_index(fields.path_of("size"), n), 1);
      // As many as NIfTI can say; keeps their product within 64 bits.
      if (grid.size[n] > 32767) fields.fail("size", "expected at most 32767");
    }
    grid.spacing_mm = vector_of(fields.array("spacing_mm"), fields.path_of("spacing_mm"));
    // Of others, volumes would be 0 or infinite.
    if (grid.spacing_mm.minCoeff() < 1e-6 || grid.spacing_mm.maxCoeff() > 1e6) {
      fields.fail("spacing_mm", "expected numbers from 1e-6 to 1e6");
    }
    grid.origin_mm = vector_of(fields.array("origin_mm"), fields.path_of("origin_mm"));
    const json& rows = array_of(fields, "direction", 3);
    for (std::size_t n = 0; n < 3; ++n) {
      grid.direction.row(static_cast<int>(n)) =
          vector_of(rows[n], at_index(fields.path_of("direction"), n));
    }
    fields.finish();
    return grid;
  }

  std::vector<LogitHistogram> histograms_in(JsonFields& fields, const std::string& key,
                                            const std::vector<std::int64_t>& above_half) const {
    std::vector<std::int64_t> weights;
    std::vector<LogitHistogram> histograms;
    const std::string text = fields.text(key);
    try {
      weights = counts_from_base64(text);
      if (weights.size() != above_half.size() * kHistogramNodes) {
        throw InputError("expected " + std::to_string(above_half.size()) + " x " +
                         std::to_string(kHistogramNodes) + " counts, found " +
                         std::to_string(weights.size()));
      }
      std::array<std::int64_t, kHistogramNodes> of_one{};
      for (std::size_t n = 0; n < above_half.size(); ++n) {
        std::copy_n(weights.begin() + static_cast<std::ptrdiff_t>(n * kHistogramNodes),
                    kHistogramNodes, of_one.begin());
        histograms.push_back(LogitHistogram::from_weights(of_one, above_half[n]));
      }
    } catch (const InputError& error) {
      fields.fail(key, error.what());
    }
    return histograms;
  }

  std::vector<std::int64_t> counts_in(JsonFields& fields, const std::string& key) const {
    const json& array = fields.array(key);
    std::vector<std::int64_t> counts;
    for (std::size_t n = 0; n < array.size(); ++n) {
      counts.push_back(integer_of(array[n], at_index(fields.path_of(key), n), 0));
    }
    return counts;
  }

  static void require_same_voxels(const JsonFields& fields, const std::string& key,
                                  const std::vector<LogitHistogram>& passes,
                                  const LogitHistogram& mean) {
    for (const LogitHistogram& pass : passes) {
      if (pass.voxel_count() == mean.voxel_count()) continue;
      fields.fail(key, "expected as many voxels in every pass (" +
                           std::to_string(mean.voxel_count()) + "), found " +
                           std::to_string(pass.voxel_count()));
    }
  }

  RegionRecord region_in(JsonFields fields, std::size_t passes) const {
    RegionRecord region;
    region.region = text_in(fields, "region");
    array_of(fields, "above_half", passes);
    region.passes = histograms_in(fields, "histograms", counts_in(fields, "above_half"));
    region.mean =
        histograms_in(fields, "mean_histogram", {fields.integer("mean_above_half")}).front();
    require_same_voxels(fields, "histograms", region.passes, region.mean);
    // Not in format 1.
    if (fields.has("without_dropout_histograms")) {
      region.without_dropout = histograms_in(fields, "without_dropout_histograms",
                                             counts_in(fields, "without_dropout_above_half"));
      require_same_voxels(fields, "without_dropout_histograms", region.without_dropout,
                          region.mean);
    }
    // Not in formats 1 and 2.
    if (fields.has("monte_carlo_error") && !fields.at("monte_carlo_error").is_null()) {
      JsonFields error = fields.object("monte_carlo_error");
      region.monte_carlo_error = {error_in(error, "lower_ml"), error_in(error, "upper_ml")};
      error.finish();
    }
    // Not in formats 1 to 3.
    if (fields.has("segmentation")) {
      region.segmentation = shape_in(fields.object("segmentation"), region.mean.voxel_count());
    }
    if (fields.has("agreement")) {
      region.agreement = counts_in(fields, "agreement");
      require_agreement_of_passes(fields, region);
    }
    fields.finish();
    return region;
  }

  static SegmentationShape shape_in(JsonFields fields, std::int64_t voxels) {
    SegmentationShape shape;
    shape.foci = fields.integer("foci");
    shape.largest_focus_voxels = fields.integer("largest_focus_voxels");
    shape.touches_border = fields.boolean("touches_border");
    if (shape.foci < 0 || shape.foci > voxels) {
      fields.fail("foci", "expected 0 to " + std::to_string(voxels) + ", found " +
                              std::to_string(shape.foci));
    }
    if (shape.largest_focus_voxels < 0 || shape.largest_focus_voxels > voxels) {
      fields.fail("largest_focus_voxels", "expected 0 to " + std::to_string(voxels) + ", found " +
                                              std::to_string(shape.largest_focus_voxels));
    }
    fields.finish();
    return shape;
  }

  static double error_in(JsonFields& fields, const std::string& key) {
    const double error = fields.number(key);
    if (error < 0) fields.fail(key, "expected a number from 0, found " + fields.at(key).dump());
    return error;
  }

  void read_measurement(JsonFields& fields, CaseRecord& record) const {
    record.grid = grid_in(fields.object("grid"));
    // In format 4.
    if (fields.has("image_quality")) {
      record.image_quality =
          quality_from_json(fields.object("image_quality"), record.inputs.size(), fail_);
    }
    const std::int64_t passes = integer_of(fields.at("passes"), "passes", 1);
    if (passes > 1'000'000) fields.fail("passes", "expected at most 1000000");
    record.passes = static_cast<int>(passes);
    const json& array = fields.array("regions");
    if (array.empty()) fields.fail("regions", "expected at least one region");
    std::set<std::string> names;
    for (std::size_t n = 0; n < array.size(); ++n) {
      const std::string path = at_index("regions", n);
      record.regions.push_back(
          region_in(JsonFields(array[n], path, fail_), static_cast<std::size_t>(passes)));
      const RegionRecord& region = record.regions.back();
      if (!names.insert(region.region).second) {
        fail_(path + ": region \"" + region.region + "\" is there twice");
      }
      const std::int64_t voxels = region.mean.voxel_count();
      if (voxels != record.regions.front().mean.voxel_count() ||
          voxels > record.grid.voxel_count()) {
        fail_(path + ": " + std::to_string(voxels) +
              " voxels do not agree with the other regions or the grid");
      }
    }
  }

  JsonFail fail_;
};

}  // namespace

CaseRecord case_record_from_json(const json& whole, const JsonFail& fail) {
  return RecordReader(fail).read(whole);
}

}  // namespace mcvol
