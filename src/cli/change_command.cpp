#include "mcvol/cli/change_command.h"

#include "mcvol/analysis/change.h"
#include "mcvol/cli/logging.h"
#include "mcvol/cli/option_values.h"
#include "mcvol/files/text_file.h"

#include <iostream>

#include "shared_options.h"
#include <spdlog/spdlog.h>

namespace mcvol {

namespace {

constexpr const char* kChangeExample =
    "Examples:\n"
    "  mcvol change results --pairs pairs.csv --growth-threshold 0.25\n"
    "  mcvol change results --pairs pairs.csv --correlation bonferroni --output -\n"
    "pairs.csv has the columns subject_id, baseline and followup, the last two case_ids of "
    "results.";

ChangeDependence dependence_from(const std::string& text) {
  ChangeDependence dependence;
  if (text == "bonferroni") {
    dependence.kind = ChangeDependence::Kind::kBonferroni;
  } else if (!text.empty()) {
    dependence.correlation = number_from("--correlation (or bonferroni)", text, -1, 1);
  }
  return dependence;
}

}  // namespace

void ChangeCommand::setup(CLI::App& program) {
  command_ = CommandOptions(
      program, "change",
      "Change between two scans of a subject, with interval and probability of growth",
      kChangeExample);
  add_results(command_, results_);
  command_.add("--pairs", pairs_, "CSV of subject_id, baseline and followup, the last two case_ids")
      .type_name("CSV")
      .required();
  add_levels(command_, levels_);
  command_
      .add("--correlation", correlation_,
           "Of the errors of two scans of a subject, -1 to 1, or bonferroni: intervals that hold "
           "for any, and are wider (default: 0)")
      .type_name("R|bonferroni");
  add_references(command_, references_)
      .description(
          "Reference volumes of at least 20 pairs, a CSV file or a folder of label maps, to "
          "estimate the correlation from");
  command_
      .add("--growth-threshold", growth_threshold_,
           "Change relative to the baseline that counts as growth or shrinkage, such as "
           "0.25 (default: 0)")
      .type_name("P");
  add_calibration(command_, calibration_);
  command_
      .add("--output", output_,
           "Table to write; - is stdout (default: change.csv in the result folder)")
      .type_name("FILE|-");
  add_threads_and_quiet(command_, threads_, quiet_);
}

ExitCode ChangeCommand::run() {
  if (quiet_) set_up_logging(Verbosity::kQuiet);
  ChangeOptions options;
  options.results = results_;
  options.pairs = pairs_;
  options.calibration = CalibrationChoice::parse(calibration_);
  options.levels = parse_levels(levels_);
  options.dependence = dependence_from(correlation_);
  if (!references_.path.empty()) {
    if (!correlation_.empty()) {
      throw UsageError("--references estimates the correlation; leave out --correlation");
    }
    options.references = references_.source();
  }
  if (options.dependence.kind == ChangeDependence::Kind::kBonferroni &&
      !growth_threshold_.empty()) {
    throw UsageError("--growth-threshold is for probabilities, which bonferroni does not give");
  }
  if (!growth_threshold_.empty()) {
    options.growth_threshold = number_from("--growth-threshold", growth_threshold_, 0, 0.999);
  }
  options.threads = threads_from(threads_);
  const std::filesystem::path output =
      output_.empty() ? results_ / "change.csv" : std::filesystem::path(output_);
  if (output != "-" && std::filesystem::is_directory(results_)) require_writable(output);
  const ChangeTable table = measure_change(options);
  for (const std::string& note : table.notes) spdlog::warn("{}", note);
  for (const std::string& line : table.estimates) spdlog::info("{}", line);
  for (const ChangeRow& row : table.rows) {
    if (row.status == "failed") spdlog::error("{}: {}", row.pair.subject_id, row.error);
  }
  if (output == "-") {
    std::cout << change_csv(table.rows);
  } else {
    write_file_atomically(output, change_csv(table.rows));
    spdlog::info("{}: {} pair(s), {} failed", output.string(), table.pairs, table.failed);
    if (output_.empty()) spdlog::info("mcvol report {} shows them", results_.string());
  }
  const bool whole = table.failed == 0 && table.left_out.empty();
  return whole ? ExitCode::kSuccess : ExitCode::kScanFailed;
}

}  // namespace mcvol
