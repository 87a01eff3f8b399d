#include "mcvol/io/records/case_record.h"

#include "mcvol/error/error.h"
#include "mcvol/files/base64.h"
#include "mcvol/files/json_fields.h"
#include "mcvol/files/sha256.h"
#include "mcvol/files/text_file.h"
#include "mcvol/io/scans/scan_discovery.h"

#include <algorithm>

#include "case_record_json.h"
#include "image_quality_json.h"
#include <nlohmann/json.hpp>

namespace mcvol {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr const char* kExtension = ".json";

std::string packed(const LogitHistogram* histograms, std::size_t count) {
  std::vector<std::int64_t> weights;
  weights.reserve(count * kHistogramNodes);
  for (std::size_t n = 0; n < count; ++n) {
    const auto& of_one = histograms[n].weights();
    weights.insert(weights.end(), of_one.begin(), of_one.end());
  }
  return base64_from_counts(weights);
}

ordered_json above_half_of(const std::vector<LogitHistogram>& histograms) {
  ordered_json counts = ordered_json::array();
  for (const LogitHistogram& histogram : histograms) counts.push_back(histogram.above_half());
  return counts;
}

ordered_json json_of(const std::optional<MonteCarloError>& error) {
  if (!error) return nullptr;
  return {{"lower_ml", error->lower_ml}, {"upper_ml", error->upper_ml}};
}

ordered_json json_of(const SegmentationShape& shape) {
  return {{"foci", shape.foci},
          {"largest_focus_voxels", shape.largest_focus_voxels},
          {"touches_border", shape.touches_border}};
}

ordered_json json_of(const RegionRecord& region) {
  ordered_json whole = {{"region", region.region},
                        {"above_half", above_half_of(region.passes)},
                        {"histograms", packed(region.passes.data(), region.passes.size())},
                        {"mean_above_half", region.mean.above_half()},
                        {"mean_histogram", packed(&region.mean, 1)},
                        {"without_dropout_above_half", above_half_of(region.without_dropout)},
                        {"without_dropout_histograms",
                         packed(region.without_dropout.data(), region.without_dropout.size())},
                        {"monte_carlo_error", json_of(region.monte_carlo_error)}};
  if (region.segmentation) whole["segmentation"] = json_of(*region.segmentation);
  if (!region.agreement.empty()) whole["agreement"] = region.agreement;
  return whole;
}

ordered_json json_of(const InputFile& input) {
  ordered_json whole = {{"channel", input.channel}, {"file_name", input.file_name}};
  if (input.index) whole["index"] = *input.index;
  whole["sha256"] = input.sha256;
  whole["size_bytes"] = input.size_bytes;
  whole["mtime_ns"] = input.mtime_ns;
  return whole;
}

ordered_json json_of(const Grid& grid) {
  ordered_json rows = ordered_json::array();
  for (int row = 0; row < 3; ++row) {
    rows.push_back({grid.direction(row, 0), grid.direction(row, 1), grid.direction(row, 2)});
  }
  return {{"size", grid.size},
          {"spacing_mm", {grid.spacing_mm[0], grid.spacing_mm[1], grid.spacing_mm[2]}},
          {"origin_mm", {grid.origin_mm[0], grid.origin_mm[1], grid.origin_mm[2]}},
          {"direction", std::move(rows)}};
}

template <typename Items>
ordered_json json_list(const Items& items) {
  ordered_json list = ordered_json::array();
  for (const auto& item : items) list.push_back(json_of(item));
  return list;
}

/// Whether it has what came with format 4. One without it, from an earlier version, stays as it is.
bool needs_format_4(const CaseRecord& record) {
  return !record.notes.empty() || record.image_quality ||
         std::any_of(record.regions.begin(), record.regions.end(),
                     [](const RegionRecord& region) {
                       return region.segmentation.has_value() || !region.agreement.empty();
                     }) ||
         std::any_of(record.inputs.begin(), record.inputs.end(),
                     [](const InputFile& input) { return input.index.has_value(); });
}

ordered_json json_of(const CaseRecord& record) {
  const bool failed = record.status == CaseRecord::Status::kFailed;
  const std::int64_t format = needs_format_4(record) ? kCaseRecordFormat : 3;
  ordered_json whole = {
      {"format", format}, {"case_id", record.case_id}, {"status", failed ? "failed" : "ok"}};
  if (failed) whole["error"] = record.error;
  whole["run_identity"] = record.run_identity;
  whole["model"] = record.model;
  whole["flags"] = record.flags;
  if (!record.notes.empty()) whole["notes"] = record.notes;
  whole["inputs"] = json_list(record.inputs);
  if (failed) return whole;
  whole["grid"] = json_of(record.grid);
  if (record.image_quality) whole["image_quality"] = json_of_quality(*record.image_quality);
  whole["passes"] = record.passes;
  whole["regions"] = json_list(record.regions);
  return whole;
}

bool same_input(const InputFile& a, const InputFile& b) {
  return a.channel == b.channel && a.file_name == b.file_name && a.index == b.index &&
         a.sha256 == b.sha256 && a.size_bytes == b.size_bytes;
}

bool same_region(const RegionRecord& a, const RegionRecord& b) {
  return a.region == b.region && a.passes == b.passes && a.mean == b.mean &&
         a.without_dropout == b.without_dropout &&
         (a.agreement == b.agreement || a.agreement.empty() || b.agreement.empty());
}

bool identical_grid(const Grid& a, const Grid& b) {
  return a.size == b.size && a.spacing_mm == b.spacing_mm && a.origin_mm == b.origin_mm &&
         a.direction == b.direction;
}

}  // namespace

Measurement measurement_of(const CaseRecord& record) {
  std::string told = record.run_identity;
  for (const InputFile& input : record.inputs) told += "\n" + digest_of(input);
  const std::string digits = sha256_of_bytes(told);
  Measurement measurement{};
  for (std::size_t n = 0; n < measurement.size(); ++n) {
    measurement[n] = static_cast<std::uint8_t>(std::stoi(digits.substr(2 * n, 2), nullptr, 16));
  }
  return measurement;
}

std::string digest_of(const InputFile& input) {
  return input.index ? input.sha256 + "[" + std::to_string(*input.index) + "]" : input.sha256;
}

bool CaseRecord::same_measurement(const CaseRecord& other) const {
  return case_id == other.case_id && status == other.status && error == other.error &&
         run_identity == other.run_identity && model == other.model && flags == other.flags &&
         std::equal(inputs.begin(), inputs.end(), other.inputs.begin(), other.inputs.end(),
                    same_input) &&
         identical_grid(grid, other.grid) && passes == other.passes &&
         std::equal(regions.begin(), regions.end(), other.regions.begin(), other.regions.end(),
                    same_region);
}

std::filesystem::path case_record_path(const std::filesystem::path& folder,
                                       const std::string& case_id) {
  return folder / "cases" / (case_id + kExtension);
}

std::vector<std::string> recorded_case_ids(const std::filesystem::path& folder) {
  std::vector<std::string> ids;
  const std::filesystem::path cases = folder / "cases";
  std::error_code error;
  if (!std::filesystem::exists(cases, error) && !error) return ids;
  for (std::filesystem::directory_iterator entry(cases, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::filesystem::path name = entry->path().filename();
    // A name that is no case id is a temporary file, or not ours.
    if (name.extension() == kExtension && is_valid_case_id(name.stem().string())) {
      ids.push_back(name.stem().string());
    }
  }
  if (error) throw Error(cases.string() + ": cannot be listed: " + error.message());
  std::sort(ids.begin(), ids.end());
  return ids;
}

CaseRecord read_case_record(const std::filesystem::path& path) {
  const JsonFail refuse = [](const std::string& message) { throw InputError(message); };
  const JsonFail fail = [&](const std::string& message) { refuse(path.string() + ": " + message); };
  std::string text;
  try {
    text = read_file(path);
  } catch (const Error& error) {
    throw InputError(error.what());
  }
  return case_record_from_json(parse_json(text, path.string(), refuse), fail);
}

CaseRecord read_case_record(const std::filesystem::path& folder, const std::string& case_id) {
  const std::filesystem::path path = case_record_path(folder, case_id);
  CaseRecord record = read_case_record(path);
  if (record.case_id != case_id) {
    throw InputError(path.string() + ": case_id: expected \"" + case_id +
                     "\" as the file is called, found \"" + record.case_id + "\"");
  }
  return record;
}

void write_case_record(const CaseRecord& record, const std::filesystem::path& path) {
  // File names need not be UTF-8; JSON has to be.
  write_file_atomically(path,
                        json_of(record).dump(2, ' ', false, json::error_handler_t::replace) + "\n");
}

}  // namespace mcvol
