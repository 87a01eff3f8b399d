#include "mcvol/cli/predict_command.h"

#include "mcvol/cli/config_file.h"
#include "mcvol/cli/logging.h"
#include "mcvol/cli/option_values.h"
#include "mcvol/cli/predict_reporter.h"
#include "mcvol/cli/version.h"
#include "mcvol/pipeline/predict.h"
#include "mcvol/pipeline/threads.h"
#include "mcvol/report/pages/write_report_page.h"

#include <charconv>
#include <iostream>
#include <limits>

#include <spdlog/spdlog.h>
#include <unistd.h>

namespace mcvol {

namespace {

constexpr const char* kPredictExample =
    "Example:\n"
    "  mcvol predict scans/ --model models/glioma --out results\n"
    "  measures every case in scans/ into results/volumes.csv; the same line again goes on where\n"
    "  the run was interrupted.";

/// --passes and --mc-tolerance, null where it is not given.
void take_passes(const std::string& passes, const std::string* given, PredictOptions& options) {
  if (passes != "auto") {
    options.passes = whole_number_from("--passes", passes, 1, PredictOptions::kMostPasses);
    if (given == nullptr) return;
    throw UsageError("--mc-tolerance: goes with --passes auto, found --passes " + passes +
                     "; leave one of them out");
  }
  options.mc_tolerance = PredictOptions::kUsualTolerance;
  if (given == nullptr) return;
  const std::string& tolerance = *given;
  double number = 0;
  const char* end = tolerance.data() + tolerance.size();
  const auto parsed = std::from_chars(tolerance.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || !(number > 0 && number <= 1)) {
    throw UsageError("--mc-tolerance: expected a number above 0, up to 1, found \"" + tolerance +
                     "\"");
  }
  options.mc_tolerance = number;
}

ScanLayout layout_from(const std::string& word) {
  if (word == "brats") return ScanLayout::kBrats;
  if (word == "nnunet") return ScanLayout::kNnunet;
  if (word == "decathlon") return ScanLayout::kDecathlon;
  if (word == "bids") return ScanLayout::kBids;
  return ScanLayout::kAuto;
}

const char* word_of(CaseAction action) {
  switch (action) {
    case CaseAction::kKeep:
      return "keep";
    case CaseAction::kMeasure:
      return "measure";
    case CaseAction::kRefuse:
      break;
  }
  return "refuse";
}

/// What a case that could not keep its name is called by its files.
std::string named(const PlannedCase& planned) {
  return (planned.reason.empty() ? "'" : "; '") + planned.scan.found_as + "' by its files";
}

}  // namespace

void PredictCommand::setup(CLI::App& program) {
  command_ = CommandOptions(program, "predict", "Measure tumour volumes in scans", kPredictExample);
  command_
      .add("scans", scans_,
           "Folders in a known layout, case folders, or manifests (.csv: case_id, then "
           "a column per channel)")
      .type_name("SCANS");
  command_.add("--model", model_, "Model bundle, a folder with model.json").type_name("DIR");
  command_.add("--out", output_, "Result folder; goes on where an earlier run ended")
      .type_name("DIR");
  command_.add("--config", config_, "The same options as key = value lines; the command line wins")
      .type_name("FILE.toml");
  add_measurement_options();
  add_machine_options();
  add_output_options();
}

void PredictCommand::add_measurement_options() {
  command_.group("Measurement");
  command_
      .add("--passes", passes_,
           "Monte Carlo passes, 1 to 10000; of an ensemble, a multiple of its networks. "
           "auto: until --mc-tolerance is reached")
      .type_name("N|auto")
      .show_default();
  command_
      .add("--mc-tolerance", tolerance_,
           "With --passes auto: standard error of the bounds of the raw 90 % interval, as a "
           "share of its width, above 0 and up to 1 (default: 0.1)")
      .type_name("X");
  command_.add("--seed", seed_, "Seed of the dropout masks, 0 to 2^64 - 1")
      .type_name("N")
      .show_default();
  command_.add("--level", levels_, "Coverage of the interval, above 0 and below 1; repeatable")
      .type_name("P")
      .one_value_at_a_time()
      .show_default();
  command_
      .add("--scope", scope_,
           "What shares a dropout mask: all voxels of a channel (channel), nothing (element), or "
           "what does in PyTorch (native) (default: the model's)")
      .type_name("SCOPE")
      .one_of({"native", "channel", "element"});
  command_
      .add("--precision", precision_,
           "Arithmetic of the network; auto: the calibration's, else fp32. fp16 on a GPU only")
      .type_name("PRECISION")
      .one_of({"auto", "fp32", "bf16", "fp16"})
      .show_default();
  command_
      .add("--calibration", calibration_,
           "Calibration to apply, or none: raw intervals, without a warning (default: the result "
           "folder's, else the model's own)")
      .type_name("FILE|none");
  add_quality(command_, quality_, "that of the worst 5 % of the calibration's");
  command_
      .add("--layout", layout_,
           "How scans lie in their folder; auto: the layout with most complete cases")
      .type_name("LAYOUT")
      .one_of({"auto", "brats", "nnunet", "bids", "decathlon"})
      .show_default();
  command_
      .add(
          "--space", space_,
          "BIDS: the space- to take where a session is there in several (default: the one without)")
      .type_name("NAME");
  command_.add("--case", cases_, "Take this case only; repeatable")
      .type_name("ID")
      .one_value_at_a_time();
  command_
      .add("--participant-label", participants_,
           "BIDS: take this subject's cases only, with or without sub-; repeatable")
      .type_name("LABEL")
      .one_value_at_a_time();
}

void PredictCommand::add_machine_options() {
  command_.group("Machine");
  command_.add("--device", device_, "auto, cpu, cuda or cuda:N; auto: the first GPU, else the CPU")
      .type_name("DEVICE")
      .show_default();
  command_
      .add("--threads", threads_,
           "CPU threads, 1 to 1024 (default: SLURM_CPUS_PER_TASK, else "
           "OMP_NUM_THREADS, else what affinity and cgroup allow)")
      .type_name("N");
  command_
      .add("--memory", memory_,
           "Bound on the network's work, from 64M (powers of 1024): how many passes run "
           "together and, for a model with a flexible window, that window")
      .type_name("SIZE")
      .show_default();
  command_
      .add("--shard", shard_,
           "Measure part I of N (from 1) into OUT/shards/I-of-N; see mcvol merge")
      .type_name("I/N");
}

void PredictCommand::add_output_options() {
  command_.group("Output");
  command_.add_flag("--fresh", fresh_, "Measure every case again, replacing records one by one");
  command_.add_flag(
      "--no-thumbnails", no_thumbnails_,
      "Keep no slice of the scans in OUT/thumbnails; the report page is without them");
  command_.add_flag("--list", list_, "Only say what would be measured, what not, and why");
  command_
      .add("--save", save_,
           "Images to keep of each case in OUT/maps, on the scan's own grid: segmentation, "
           "probability, bounds (of the interval), sd and agreement (of the passes), labels, "
           "entropy; several with commas")
      .type_name("KINDS")
      .one_value_at_a_time();
  command_
      .add("--save-layout", save_layout_,
           "How they lie in OUT/maps: a folder a case, or as a BIDS derivative data set; auto: as "
           "those that are there, else bids where the scans are of BIDS layout")
      .type_name("LAYOUT")
      .one_of({"auto", "cases", "bids"})
      .show_default();
  command_.add("--print", print_, "Rows of each case on stdout as it ends")
      .type_name("FORMAT")
      .one_of({"csv", "jsonl"});
  const OptionDeclaration quiet =
      command_.add_flag("--quiet", quiet_, "Nothing on stderr unless the exit code is not 0");
  command_.add_flag("--verbose", verbose_, "Say more on stderr").excludes(quiet);
}

PredictOptions PredictCommand::options() const {
  PredictOptions options;
  options.scans = scans_;
  options.model = model_;
  options.output = output_;
  take_passes(passes_, command_.given("--mc-tolerance") ? &tolerance_ : nullptr, options);
  options.seed = whole_number_from<std::uint64_t>("--seed", seed_, 0,
                                                  std::numeric_limits<std::uint64_t>::max());
  options.levels = parse_levels(levels_);
  options.least_dice = least_dice_from(quality_);
  if (!scope_.empty()) options.scope = dropout_scope_from(scope_);
  if (precision_ != "auto") options.precision = precision_from(precision_);
  options.search.layout = layout_from(layout_);
  options.search.space = space_;
  options.only_cases = cases_;
  options.only_participants = participants_;
  if (!shard_.empty()) options.shard = Shard::parse(shard_);
  options.fresh = fresh_;
  options.save = MapChoice::parse(save_);
  options.save_layout = map_layout_from(save_layout_);
  if (options.save_layout && !options.save.any()) {
    throw UsageError("--save-layout: goes with --save; name the images to keep, or leave it out");
  }
  options.thumbnails = !no_thumbnails_;
  options.calibration = CalibrationChoice::parse(calibration_);
  options.device = device_;
  if (!threads_.empty()) {
    options.threads = whole_number_from("--threads", threads_, 1, PredictOptions::kMostThreads);
  }
  options.memory_bytes = parse_memory(memory_);
  options.version = program_version();
  options.commit = program_commit();
  options.libraries["libtorch"] = libtorch_version();
  return options;
}

ExitCode PredictCommand::list() const {
  const PredictOptions options = this->options();
  PredictPlan plan = plan_scans(options);
  std::vector<std::string> gone;
  if (!options.output.empty()) {
    check_run_identity(plan, options.fresh);
    ResultFolder results(plan.folder, options.levels, plan.identity_sha256, plan.calibration,
                         plan.found_ids);
    for (const std::string& complaint : results.load()) spdlog::warn(complaint);
    keep_finished(plan, results, options.fresh, options.save);
    gone = results.not_found();
  }
  for (const PlannedCase& planned : plan.cases) {
    std::cout << planned.scan.case_id << '\t' << word_of(planned.action) << '\t' << planned.reason
              << (planned.scan.found_as.empty() ? "" : named(planned)) << '\t'
              << describe_channel_files(plan.bundle, planned.scan) << '\n';
  }
  for (const std::string& case_id : gone) {
    std::cout << case_id << "\tnot found\tmeasured before\t\n";
  }
  std::cout.flush();
  if (plan.by_number) say_channels_by_number(plan.bundle);
  for (const std::string& ignored : plan.ignored) spdlog::info("passed over: {}", ignored);
  return ExitCode::kSuccess;
}

ExitCode PredictCommand::run() {
  if (!config_.empty()) apply_config(config_, command_.app());
  if (quiet_ && verbose_) throw UsageError("--quiet and --verbose exclude each other");
  set_up_logging(quiet_ ? Verbosity::kQuiet : verbose_ ? Verbosity::kVerbose : Verbosity::kNormal);
  if (list_) return list();
  const PredictOptions options = this->options();
  if (options.threads == 0) {
    for (const std::string& complaint : passed_over_variables(process_thread_limits())) {
      spdlog::warn("{}", complaint);
    }
  }
  install_interrupt_handlers();
  ReporterOptions reporting;
  reporting.print = print_ == "csv"     ? ReporterOptions::Print::kCsv
                    : print_ == "jsonl" ? ReporterOptions::Print::kJsonLines
                                        : ReporterOptions::Print::kNothing;
  reporting.progress_line = !quiet_ && isatty(STDERR_FILENO) == 1;
  reporting.uncalibrated_on_purpose = calibration_ == "none";
  reporting.open_ended = options.mc_tolerance.has_value();
  PredictReporter reporter(reporting);
  PredictServices services;
  services.load_segmenter = load_segmenter;
  const PredictOutcome outcome = predict(options, services, reporter);
  reporter.sum_up(outcome);
  const bool ended =
      outcome.exit_code == ExitCode::kSuccess || outcome.exit_code == ExitCode::kScanFailed;
  // Of a shard there is nothing to look at before they are merged.
  if (ended && !options.shard) {
    const auto notes = write_report_of_run(options.output, program_name(), threads_from(threads_),
                                           no_thumbnails_ ? Slices::kLeaveOut : Slices::kShow);
    for (const std::string& note : notes) spdlog::warn("{}", note);
  }
  return outcome.exit_code;
}

}  // namespace mcvol
