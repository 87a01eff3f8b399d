#include "mcvol/pipeline/predict_plan.h"

#include "mcvol/analysis/run_identity.h"
#include "mcvol/error/error.h"
#include "mcvol/io/records/run_file.h"
#include "mcvol/pipeline/case_maps.h"
#include "mcvol/pipeline/input_files.h"
#include "mcvol/pipeline/label_painting.h"
#include "mcvol/pipeline/shard.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "case_pick.h"

namespace mcvol {

namespace {

/// Members and mirror images take turns pass by pass, so that each has the same share of the
/// passes.
void require_whole_rounds(int passes, const Bundle& bundle) {
  const int round = bundle.round();
  const int below = passes - passes % round, above = below + round;
  if (below == passes) return;
  std::string nearest = below > 0 ? std::to_string(below) : "";
  if (above <= PredictOptions::kMostPasses) {
    nearest += (nearest.empty() ? "" : " or ") + std::to_string(above);
  }
  const std::string of = bundle.mirror.empty() ? "networks in the model"
                         : bundle.networks.size() == 1
                             ? "mirror images that the model takes"
                             : "networks in the model times that of its mirror images";
  throw UsageError("--passes: expected a multiple of " + std::to_string(round) +
                   ", the number of " + of + ", found " + std::to_string(passes) + "; use " +
                   nearest);
}

/// Refuses before any work what the folder or the model's regions do not allow.
void choose_map_layout(const PredictOptions& options, ScanLayout scans, PredictPlan& plan) {
  if (!plan.folder.empty()) require_known_map_layout(plan.folder);
  if (!options.save.any()) return;
  plan.map_layout = chosen_map_layout(plan.folder, options.save_layout, scans == ScanLayout::kBids);
  require_map_names_differ(region_names(plan.bundle), options.save, plan.map_layout);
}

namespace fs = std::filesystem;

/// "calibration 1a2b3c4d".
std::string called(const CalibrationFile& calibration) {
  return "calibration " + calibration.sha256.substr(0, 8);
}

/// The calibration's, if there is one.
Precision precision_of(const std::optional<fs::path>& calibration) {
  if (!calibration) return Precision::kFp32;
  return precision_from(read_calibration_file(*calibration).identity.value("precision", "fp32"));
}

/// Which calibration a run applies, and under which run identity: without a word about it that of
/// the folder's table, which another bundle's or none would replace without being asked to.
class CalibrationOfRun {
 public:
  CalibrationOfRun(const PredictOptions& options, IdentityOptions identity, PredictPlan& plan)
      : options_(options), identity_(std::move(identity)), plan_(plan) {}

  void choose() {
    const fs::path own = calibration_path(plan_.folder);
    const bool keeps = keeps_own_calibration(plan_.folder);
    const CalibrationChoice& choice = options_.calibration;
    if (choice.kind == CalibrationChoice::Kind::kFile) return use(choice.file);
    if (choice.kind == CalibrationChoice::Kind::kNone) {
      if (keeps) {
        plan_.notes.push_back(
            own.string() + ": " + called(read_calibration_file(own)) +
            " is dropped, as --calibration none says; volumes become uncalibrated");
      }
      return use({});
    }
    const std::optional<fs::path> of_bundle =
        plan_.bundle.has_calibration ? std::optional(calibration_path(plan_.bundle.folder))
                                     : std::nullopt;
    if (!keeps) return use(of_bundle);
    const CalibrationFile kept = read_calibration_file(own);
    resolve(own);
    const std::string reason = why_not_for(kept, plan_.identity);
    if (!reason.empty()) {
      // Of a folder that is measured anew; without --fresh another run identity is refused.
      if (options_.fresh) {
        plan_.notes.push_back(own.string() + ": " + called(kept) + " is dropped: " + reason);
      }
      return use(of_bundle);
    }
    if (of_bundle) note_other(kept, *of_bundle);
    use(own);
  }

 private:
  void note_other(const CalibrationFile& kept, const fs::path& of_bundle) {
    const CalibrationFile other = read_calibration_file(of_bundle);
    if (other.sha256 == kept.sha256) return;
    plan_.notes.push_back(plan_.folder.string() + " keeps its " + called(kept) +
                          "; the model's is " + called(other) + ", which --calibration " +
                          of_bundle.string() + " would apply");
  }

  /// Identity and precision with a calibration.
  void resolve(const std::optional<fs::path>& file) {
    plan_.precision = options_.precision ? *options_.precision : precision_of(file);
    identity_.precision = to_string(plan_.precision);
    identity_.numerics = numerics_of(plan_.precision);
    plan_.identity = run_identity_of(plan_.bundle, identity_);
    plan_.identity_sha256 = sha256_of_identity(plan_.identity);
  }

  void use(const std::optional<fs::path>& file) {
    resolve(file);
    if (file) {
      plan_.calibration_file = *file;
      plan_.calibration = with_least_dice(
          read_calibration_for(*file, plan_.identity, options_.levels), options_.least_dice);
    }
    require_expected_dice(plan_.calibration.get(), options_.least_dice);
  }

  const PredictOptions& options_;
  IdentityOptions identity_;
  PredictPlan& plan_;
};

/// The records of a run, its own and its shards', by case_id: each start and each shard has to come
/// to the same ids. Folders are listed once, however many cases there are.
class RecordsOfRun {
 public:
  explicit RecordsOfRun(const fs::path& output) {
    if (output.empty()) return;
    add(output);
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(output / "shards", ignored)) add(entry.path());
  }

  Recorded find(const std::string& case_id, const std::vector<std::string>& channels,
                const std::vector<ImageSource>& files) const {
    const auto found = folders_.find(case_id);
    if (found == folders_.end()) return Recorded::kNothing;
    for (const fs::path& folder : found->second) {
      try {
        const CaseRecord record = read_case_record(folder, case_id);
        if (inputs_unchanged(record.inputs, channels, files)) return Recorded::kTheseFiles;
      } catch (const InputError&) {
        // Said where results are read.
      }
    }
    return Recorded::kOtherFiles;
  }

 private:
  void add(const fs::path& folder) {
    for (const std::string& case_id : recorded_case_ids(folder)) {
      folders_[case_id].push_back(folder);
    }
  }

  std::map<std::string, std::vector<fs::path>> folders_;
};

}  // namespace

int PredictPlan::count(CaseAction action) const {
  return static_cast<int>(std::count_if(
      cases.begin(), cases.end(), [&](const PlannedCase& one) { return one.action == action; }));
}

std::vector<ChannelPattern> channel_patterns(const Bundle& bundle) {
  std::vector<ChannelPattern> patterns;
  for (const Bundle::Channel& channel : bundle.channels) {
    patterns.push_back({channel.name, channel.suffixes, channel.index_4d});
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
  if (!options.mc_tolerance) require_whole_rounds(options.passes, plan.bundle);
  if (options.save.labels) label_painting(plan.bundle.json);
  plan.scope = options.scope.value_or(plan.bundle.scope);
  IdentityOptions identity_options;
  identity_options.scope = plan.scope;
  identity_options.seed = options.seed;
  identity_options.passes = options.passes;
  identity_options.mc_tolerance = options.mc_tolerance;
  identity_options.memory_bytes = options.memory_bytes;
  plan.folder = options.shard ? shard_folder(options.output, *options.shard) : options.output;
  CalibrationOfRun(options, std::move(identity_options), plan).choose();

  ScanSearch search = options.search;
  search.results = options.output;
  const RecordsOfRun records(options.output);
  search.recorded = [&](const std::string& case_id, const std::vector<ImageSource>& files) {
    return records.find(case_id, channel_names(plan.bundle), files);
  };
  ScanDiscovery discovery = discover_scans(options.scans, channel_patterns(plan.bundle), search);
  choose_map_layout(options, discovery.layout, plan);
  plan.ignored = std::move(discovery.ignored);
  const CasePick pick(options, discovery.cases);
  plan.by_number = discovery.by_number;
  for (ScanCase& scan : discovery.cases) {
    plan.found_ids.push_back(scan.case_id);
    if (!pick.takes(scan)) continue;
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
  preparation.skull_stripped = bundle.requires_skull_stripped();
  preparation.measure_all = bundle.measure == Bundle::Measure::kAll;
  return preparation;
}

std::vector<std::string> region_names(const Bundle& bundle) {
  std::vector<std::string> names;
  for (const Bundle::Region& region : bundle.regions) names.push_back(region.name);
  return names;
}

std::string describe_channel_files(const Bundle& bundle, const ScanCase& scan) {
  std::string text;
  for (std::size_t n = 0; n < scan.channel_files.size(); ++n) {
    text += (n > 0 ? ", " : "") + bundle.channels.at(n).name + "=" + scan.channel_files[n].name();
  }
  return text;
}

}  // namespace mcvol
