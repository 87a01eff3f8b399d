#include "mcvol/cli/inspect_facts.h"

#include "mcvol/calibration/coverage.h"
#include "mcvol/error/error.h"
#include "mcvol/image/background.h"
#include "mcvol/io/images/image_endings.h"
#include "mcvol/io/images/image_file.h"
#include "mcvol/io/images/image_header.h"
#include "mcvol/io/records/calibration_file.h"
#include "mcvol/io/records/case_record.h"
#include "mcvol/io/records/run_file.h"
#include "mcvol/network/bundle/bundle.h"
#include "mcvol/network/segmenter/segmenter.h"
#include "mcvol/pipeline/threads.h"

#include <algorithm>
#include <vector>

namespace mcvol {

namespace fs = std::filesystem;

namespace {

Facts facts_of_grid(const Grid& grid) {
  Facts facts;
  facts["size"] = grid.size;
  facts["spacing_mm"] = {grid.spacing_mm[0], grid.spacing_mm[1], grid.spacing_mm[2]};
  facts["orientation"] = orientation_of(grid);
  facts["origin_mm_lps"] = {grid.origin_mm[0], grid.origin_mm[1], grid.origin_mm[2]};
  facts["voxel_volume_ml"] = grid.voxel_volume_ml();
  return facts;
}

Facts facts_of_scan(const ImageSource& source) {
  const ImageHeader header = read_image_header(source);
  require_known_orientation(source, header);
  const Image<float> image = read_image(source);
  const std::vector<float>& values = image.values;
  Facts facts = facts_of_grid(header.grid);
  facts["format"] = to_string(header.format);
  facts["stored_as"] = to_string(header.type);
  facts["slope"] = header.slope;
  facts["intercept"] = header.intercept;
  facts["nonzero_voxels"] =
      std::count_if(values.begin(), values.end(), [](float v) { return v != 0; });
  const Background background = find_background(image, step_of(header));
  if (!background.found) {
    facts["background"] = nullptr;
    return facts;
  }
  facts["background"] = {{"value", background.value},
                         {"tolerance", background.tolerance},
                         {"share_of_border", background.border_share}};
  facts["voxels_beside_background"] =
      std::count_if(values.begin(), values.end(), [&](float v) { return !background.contains(v); });
  return facts;
}

Facts facts_of_dropout(const NetworkSummary& summary) {
  Facts layers = Facts::array();
  for (const DropoutLayer& layer : summary.dropout) {
    layers.push_back({{"id", layer.id},
                      {"kind", layer.kind},
                      {"rate", layer.rate},
                      {"where", layer.where},
                      {"fate", layer.fate}});
  }
  return layers;
}

Facts facts_of_work(const NetworkSummary& summary) {
  Facts work;
  work["split_at"] = summary.split_at;
  work["operators_once_per_window"] = summary.prefix_operators;
  work["operators_per_pass"] = summary.suffix_operators;
  work["gflop_once_per_window"] = summary.prefix_gflop;
  work["gflop_per_pass"] = summary.suffix_gflop;
  const double one_pass = summary.prefix_gflop + summary.suffix_gflop;
  if (one_pass > 0) work["share_per_pass"] = summary.suffix_gflop / one_pass;
  work["suffix_on_measured_voxels_only"] = summary.pointwise_suffix;
  work["passes_per_batch"] = summary.passes_per_batch;
  work["memory_of_window_and_pass_bytes"] = summary.window_bytes;
  return work;
}

const char* word_of(Bundle::Window::Blend blend) {
  switch (blend) {
    case Bundle::Window::Blend::kConstant:
      return "constant";
    case Bundle::Window::Blend::kGaussian:
      return "gaussian";
    case Bundle::Window::Blend::kGaussianNnunet:
      return "gaussian_nnunet";
    case Bundle::Window::Blend::kNone:
      break;
  }
  return "none";
}

Facts facts_of_window(const Bundle::Window& window, const NetworkSummary& summary,
                      std::int64_t memory_bytes) {
  Facts facts;
  facts["input"] = window.flexible ? summary.window_input : window.input;
  facts["output"] = window.flexible ? summary.window_output : window.output;
  facts["overlap"] = window.overlap;
  facts["blend"] = word_of(window.blend);
  if (window.layout == Bundle::Window::Layout::kEven) facts["layout"] = "even";
  facts["flexible"] = window.flexible;
  if (window.flexible) facts["grown_for_bytes"] = memory_bytes;
  return facts;
}

Facts facts_of_bundle(const fs::path& folder) {
  const Bundle bundle = read_bundle(folder);
  SegmenterOptions options;
  options.device = "cpu";
  options.threads = default_thread_count();
  options.scope = bundle.scope;
  const auto segmenter = load_segmenter(bundle, options);
  const NetworkSummary& summary = segmenter->summary();
  Facts facts;
  facts["name"] = bundle.name;
  facts["sha256"] = bundle.sha256;
  facts["channels"] = Facts::array();
  for (const auto& channel : bundle.channels) facts["channels"].push_back(channel.name);
  facts["requires"] = bundle.required;
  facts["regions"] = Facts::array();
  for (const auto& region : bundle.regions) facts["regions"].push_back(region.name);
  facts["networks"] = summary.networks;
  facts["window"] = facts_of_window(bundle.window, summary, options.memory_bytes);
  facts["scope"] = to_string(bundle.scope);
  facts["dropout"] = facts_of_dropout(summary);
  facts["work"] = facts_of_work(summary);
  facts["calibration"] = bundle.has_calibration;
  facts["notes"] = summary.notes;
  if (!bundle.warning.empty()) facts["warning"] = bundle.warning;
  if (!bundle.licence.empty()) facts["licence"] = bundle.licence;
  return facts;
}

Facts facts_of_record(const fs::path& path) {
  const CaseRecord record = read_case_record(path);
  Facts facts;
  facts["case_id"] = record.case_id;
  facts["status"] = record.status == CaseRecord::Status::kOk ? "ok" : "failed";
  if (record.status == CaseRecord::Status::kFailed) facts["error"] = record.error;
  facts["run_identity"] = record.run_identity;
  facts["model"] = record.model;
  facts["flags"] = record.flags;
  if (!record.notes.empty()) facts["notes"] = record.notes;
  facts["inputs"] = Facts::array();
  for (const InputFile& input : record.inputs) {
    facts["inputs"].push_back({{"channel", input.channel},
                               {"file", input.file_name},
                               {"sha256", input.sha256},
                               {"bytes", input.size_bytes}});
    if (input.index) facts["inputs"].back()["index"] = *input.index;
  }
  if (record.status == CaseRecord::Status::kFailed) return facts;
  facts["grid"] = facts_of_grid(record.grid);
  facts["passes"] = record.passes;
  facts["regions"] = Facts::array();
  const double voxel_ml = record.grid.voxel_volume_ml();
  for (const RegionRecord& region : record.regions) {
    facts["regions"].push_back(
        {{"region", region.region},
         {"measured_voxels", region.mean.voxel_count()},
         {"segmented_ml", static_cast<double>(region.mean.above_half()) * voxel_ml},
         {"summed_probability_ml", region.mean.probability_sum() * voxel_ml}});
    if (!region.monte_carlo_error) continue;
    facts["regions"].back()["monte_carlo_error_ml"] = {region.monte_carlo_error->lower_ml,
                                                       region.monte_carlo_error->upper_ml};
  }
  return facts;
}

Facts facts_of_calibration(const fs::path& path) {
  const CalibrationFile calibration = read_calibration_file(path);
  Facts facts;
  facts["sha256"] = calibration.sha256;
  facts["method"] = to_string(calibration.method);
  facts["simulated"] = calibration.simulated;
  facts["version"] = calibration.version;
  facts["model_sha256"] = calibration.model_sha256;
  facts["scans"] = calibration.scans.size();
  facts["passes"] = calibration.identity.value("passes", Facts());
  if (calibration.identity.contains("mc_tolerance")) {
    facts["mc_tolerance"] = calibration.identity["mc_tolerance"];
  }
  facts["seed"] = calibration.identity.value("seed", Facts());
  facts["scope"] = calibration.identity.value("scope", Facts());
  facts["precision"] = calibration.identity.value("precision", Facts());
  facts["regions"] = Facts::array();
  for (const RegionCalibration& region : calibration.regions) {
    Facts strata = Facts::array();
    for (const RegionCalibration::Stratum& stratum : region.strata) {
      Facts of_stratum = {{"from_ml", stratum.from_ml}, {"references", stratum.n()}};
      if (const auto kind = score_kind_of(calibration.method)) {
        const ConformalFit& fit = *stratum.fit(*kind);
        Facts rhos = Facts::array();
        for (const auto& candidate : fit.candidates()) rhos.push_back(candidate.rho);
        of_stratum["rho"] = fit.candidates()[fit.best()].rho;
        of_stratum["rho_candidates"] = rhos;
      }
      strata.push_back(std::move(of_stratum));
    }
    facts["regions"].push_back(
        {{"region", region.region},
         {"predicted_ml", {region.least_predicted_ml, region.most_predicted_ml}},
         {"strata", strata}});
  }
  return facts;
}

Facts facts_of_results(const fs::path& folder) {
  const auto run = read_run_file(folder);
  if (!run)
    throw UsageError(folder.string() + ": no run.json; not a result folder of mcvol predict");
  Facts facts;
  facts["state"] = run->state == RunFile::State::kComplete  ? "complete"
                   : run->state == RunFile::State::kRunning ? "running, or killed"
                                                            : "interrupted";
  facts["found"] = run->found;
  facts["done"] = run->done;
  facts["failed"] = run->failed;
  facts["version"] = run->version;
  facts["commit"] = run->commit;
  facts["libraries"] = run->libraries;
  facts["model_sha256"] = run->model_sha256;
  facts["options"] = run->options;
  facts["device"] = run->device;
  facts["timings_s"] = run->timings_s;
  facts["started"] = run->started;
  facts["ended"] = run->ended;
  return facts;
}

}  // namespace

std::string to_string(InspectedKind kind) {
  switch (kind) {
    case InspectedKind::kBundle:
      return "model bundle";
    case InspectedKind::kScan:
      return "scan";
    case InspectedKind::kRecord:
      return "case record";
    case InspectedKind::kCalibration:
      return "calibration";
    case InspectedKind::kResults:
      break;
  }
  return "result folder";
}

InspectedKind kind_of(const fs::path& path) {
  if (fs::is_directory(path)) {
    if (fs::exists(path / "model.json")) return InspectedKind::kBundle;
    if (fs::exists(path / "run.json")) return InspectedKind::kResults;
    throw UsageError(path.string() +
                     ": neither a model bundle (model.json) nor a result folder (run.json); for a "
                     "folder of scans use mcvol predict --list");
  }
  const ImageSource source = image_source_from(path);
  if (!fs::exists(source.file)) throw Error(source.file.string() + ": no such file or folder");
  const std::string name = source.file.filename().string();
  if (name == "model.json") return InspectedKind::kBundle;
  if (name == "run.json") return InspectedKind::kResults;
  const bool without_voxels = name.ends_with(".nhdr") || name.ends_with(".mhd");
  if (without_voxels || !image_stem(name).empty()) return InspectedKind::kScan;
  if (name.ends_with(".json")) {
    return is_calibration_file(path) ? InspectedKind::kCalibration : InspectedKind::kRecord;
  }
  throw UsageError(
      path.string() +
      ": expected a model bundle, a scan (.nii.gz, .nii, .nrrd, .mha), a record or calibration "
      "(.json) or a result folder");
}

Facts facts_of(const fs::path& path, InspectedKind kind) {
  const bool in_folder = (kind == InspectedKind::kBundle || kind == InspectedKind::kResults) &&
                         !fs::is_directory(path);
  const fs::path folder = in_folder ? fs::absolute(path).parent_path() : path;
  switch (kind) {
    case InspectedKind::kBundle:
      return facts_of_bundle(folder);
    case InspectedKind::kScan:
      return facts_of_scan(image_source_from(path));
    case InspectedKind::kRecord:
      return facts_of_record(path);
    case InspectedKind::kCalibration:
      return facts_of_calibration(path);
    case InspectedKind::kResults:
      break;
  }
  return facts_of_results(folder);
}

}  // namespace mcvol
