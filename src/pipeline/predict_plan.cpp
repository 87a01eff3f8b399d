#include "mcvol/pipeline/predict_plan.h"

#include "mcvol/analysis/run_identity.h"
#include "mcvol/error/error.h"
#include "mcvol/io/records/run_file.h"
#include "mcvol/pipeline/case_maps.h"
#include "mcvol/pipeline/input_files.h"
#include "mcvol/pipeline/label_painting.h"
#include "mcvol/pipeline/shard.h"

#include <algorithm>
#include <set>

namespace mcvol {

namespace {

/// Members take turns pass by pass, so that each has the same share of the passes.
void require_whole_rounds(int passes, int networks) {
  const int below = passes - passes % networks, above = below + networks;
  if (below == passes) return;
  std::string nearest = below > 0 ? std::to_string(below) : "";
  if (above <= PredictOptions::kMostPasses) {
    nearest += (nearest.empty() ? "" : " or ") + std::to_string(above);
  }
  throw UsageError("--passes: expected a multiple of " + std::to_string(networks) +
                   ", the number of networks in the model, found " + std::to_string(passes) +
                   "; use " + nearest);
}

/// Refuses before any work what the model's regions do not allow.
void require_makeable(const MapChoice& save, const Bundle& bundle) {
  require_map_names_differ(region_names(bundle), save);
  if (save.labels) label_painting(bundle.json);
}

std::optional<std::filesystem::path> calibration_file_of(const Bundle& bundle,
                                                         const CalibrationChoice& choice) {
  if (choice.kind == CalibrationChoice::Kind::kFile) return choice.file;
  if (choice.kind == CalibrationChoice::Kind::kNone || !bundle.has_calibration) return {};
  return calibration_path(bundle.folder);
}

/// The calibration's, if there is one.
Precision precision_of(const std::optional<std::filesystem::path>& calibration) {
  if (!calibration) return Precision::kFp32;
  return precision_from(read_calibration_file(*calibration).identity.value("precision", "fp32"));
}

/// The BIDS subject that a case_id begins with; empty where it begins otherwise.
std::string subject_of(const std::string& case_id) {
  return case_id.starts_with("sub-") ? case_id.substr(0, case_id.find('_')) : "";
}

/// The cases that --case and --participant-label ask for.
class CasePick {
 public:
  /// @throws UsageError naming what no case is called.
  CasePick(const PredictOptions& options, const std::vector<ScanCase>& cases)
      : ids_(options.only_cases.begin(), options.only_cases.end()) {
    for (const std::string& label : options.only_participants) {
      subjects_.insert(label.starts_with("sub-") ? label : "sub-" + label);
    }
    std::set<std::string> ids, subjects;
    for (const ScanCase& scan : cases) {
      ids.insert(scan.case_id);
      subjects.insert(subject_of(scan.case_id));
    }
    require_all_in(ids, ids_, "--case");
    require_all_in(subjects, subjects_, "--participant-label");
  }

  bool takes(const std::string& case_id) const {
    return (ids_.empty() && subjects_.empty()) || ids_.contains(case_id) ||
           subjects_.contains(subject_of(case_id));
  }

 private:
  static void require_all_in(const std::set<std::string>& found, const std::set<std::string>& asked,
                             const std::string& option) {
    for (const std::string& one : asked) {
      if (found.contains(one)) continue;
      throw UsageError(option + ": expected one of the " + std::to_string(found.size()) +
                       " found, such as " + *found.rbegin() + ", found \"" + one +
                       "\"; --list says all");
    }
  }

  std::set<std::string> ids_, subjects_;
};

}  // namespace

int PredictPlan::count(CaseAction action) const {
  return static_cast<int>(std::count_if(
      cases.begin(), cases.end(), [&](const PlannedCase& one) { return one.action == action; }));
}

std::vector<ChannelPattern> channel_patterns(const Bundle& bundle) {
  std::vector<ChannelPattern> patterns;
  for (const Bundle::Channel& channel : bundle.channels) {
    patterns.push_back({channel.name, channel.suffixes});
  }
  return patterns;
}

std::vector<std::string> channel_names(const Bundle& bundle) {
  std::vector<std::string> names;
  for (const Bundle::Channel& channel : bundle.channels) names.push_back(channel.name);
  return names;
}

PredictPlan plan_scans(const PredictOptions& options) {
  options.validate();
  PredictPlan plan;
  plan.bundle = read_bundle(options.model);
  if (!options.mc_tolerance)
    require_whole_rounds(options.passes, static_cast<int>(plan.bundle.networks.size()));
  require_makeable(options.save, plan.bundle);
  plan.scope = options.scope.value_or(plan.bundle.scope);
  IdentityOptions identity_options;
  identity_options.scope = plan.scope;
  identity_options.seed = options.seed;
  identity_options.passes = options.passes;
  identity_options.mc_tolerance = options.mc_tolerance;
  identity_options.memory_bytes = options.memory_bytes;
  const auto calibration_file = calibration_file_of(plan.bundle, options.calibration);
  plan.precision = options.precision ? *options.precision : precision_of(calibration_file);
  identity_options.precision = to_string(plan.precision);
  identity_options.numerics = numerics_of(plan.precision);
  plan.identity = run_identity_of(plan.bundle, identity_options);
  plan.identity_sha256 = sha256_of_identity(plan.identity);
  if (calibration_file) {
    plan.calibration_file = *calibration_file;
    plan.calibration = read_calibration_for(*calibration_file, plan.identity, options.levels);
  }
  plan.folder = options.shard ? shard_folder(options.output, *options.shard) : options.output;

  ScanDiscovery discovery =
      discover_scans(options.scans, channel_patterns(plan.bundle), options.search);
  plan.ignored = std::move(discovery.ignored);
  const CasePick pick(options, discovery.cases);
  for (ScanCase& scan : discovery.cases) {
    plan.found_ids.push_back(scan.case_id);
    if (!pick.takes(scan.case_id)) continue;
    if (options.shard && !options.shard->holds(scan.case_id)) continue;
    PlannedCase planned;
    planned.reason = scan.error;
    planned.action = scan.error.empty() ? CaseAction::kMeasure : CaseAction::kRefuse;
    planned.scan = std::move(scan);
    plan.cases.push_back(std::move(planned));
  }
  return plan;
}

void check_run_identity(const PredictPlan& plan, bool fresh) {
  const std::optional<RunFile> run = read_run_file(plan.folder);
  if (run && !fresh) require_same_identity(plan.folder, run->identity, plan.identity);
}

void keep_finished(PredictPlan& plan, const ResultFolder& results, bool fresh,
                   const MapChoice& save) {
  const std::vector<std::string> channels = channel_names(plan.bundle);
  for (PlannedCase& planned : plan.cases) {
    const ResultFolder::Entry* entry = results.find(planned.scan.case_id);
    if (planned.action == CaseAction::kRefuse || entry == nullptr) continue;
    if (fresh) {
      planned.reason = "measured before; --fresh";
    } else if (entry->status == CaseRecord::Status::kFailed) {
      planned.reason = "failed before";
    } else if (entry->run_identity != plan.identity_sha256) {
      planned.reason = "measured by a run with other settings";
    } else if (!inputs_unchanged(entry->inputs, channels, planned.scan.channel_files)) {
      planned.reason = "its files have changed";
    } else if (!has_case_maps(plan.folder, planned.scan.case_id,
                              MapsOrigin(entry->run_identity, entry->inputs), save)) {
      planned.reason = "measured before, without the images to save";
    } else {
      planned.action = CaseAction::kKeep;
      planned.reason = "measured before";
    }
  }
}

ScanPreparation preparation_of(const Bundle& bundle) {
  ScanPreparation preparation;
  preparation.grid = bundle.grid;
  for (const Bundle::Channel& channel : bundle.channels) {
    preparation.intensities.push_back(channel.intensity);
  }
  preparation.measure_all = bundle.measure == Bundle::Measure::kAll;
  return preparation;
}

std::vector<std::string> region_names(const Bundle& bundle) {
  std::vector<std::string> names;
  for (const Bundle::Region& region : bundle.regions) names.push_back(region.name);
  return names;
}

}  // namespace mcvol
