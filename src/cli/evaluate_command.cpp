#include "mcvol/cli/evaluate_command.h"

#include "mcvol/analysis/evaluate.h"
#include "mcvol/cli/logging.h"
#include "mcvol/cli/option_values.h"
#include "mcvol/cli/version.h"
#include "mcvol/files/text_file.h"
#include "mcvol/report/pages/make_evaluation_page.h"

#include "shared_options.h"
#include <spdlog/spdlog.h>

namespace mcvol {

namespace {

constexpr const char* kEvaluateExample =
    "Example:\n"
    "  mcvol evaluate results --references volumes.csv --out evaluation\n"
    "  writes evaluation/evaluation.html, coverage.csv, comparison.csv, intervals.csv,\n"
    "  segmentation_quality.csv and segmentations.csv.";

/// Of the calibration's own method; the others are for the tables.
void say_coverage(const Evaluation& evaluation) {
  for (const CoverageRow& row : evaluation.coverage) {
    if (row.stratum != "all" || row.method != evaluation.method) continue;
    const CoverageSummary& of = row.summary;
    spdlog::info("{}, {} at {}: {} of {} covered, {:.1f} % [{:.1f}, {:.1f}]; mean width {:.1f} ml",
                 row.region, row.method, row.level, of.covered, of.n, 100 * of.coverage,
                 100 * of.coverage_range.lower, 100 * of.coverage_range.upper, of.mean_width_ml);
  }
}

/// Whether lower bounds of the Dice hold, and how well what is expected tells bad ones.
void say_quality(const Evaluation& evaluation) {
  for (const DiceCoverage& of : evaluation.dice_coverage) {
    spdlog::info(
        "{}, dice_lower at {}: {} of {} segmentations are as good, {:.1f} % [{:.1f}, {:.1f}]",
        of.region, of.level, of.held, of.n,
        100 * static_cast<double>(of.held) / static_cast<double>(of.n), 100 * of.range.lower,
        100 * of.range.upper);
  }
  for (const QualityRow& row : evaluation.quality) {
    const bool shown = std::string(row.signal) == "expected_dice" && row.outcome == kLowDiceOutcome;
    if (!row.auroc || !shown) continue;
    spdlog::info(
        "{}: {} of {} segmentations have a Dice below {}; AUROC of the expected Dice for "
        "them {:.3f} [{:.3f}, {:.3f}]",
        row.region, row.bad, row.n, kLowDice, row.auroc->area, row.auroc->range.lower,
        row.auroc->range.upper);
  }
}

}  // namespace

void EvaluateCommand::setup(CLI::App& program) {
  command_ =
      CommandOptions(program, "evaluate",
                     "Coverage of intervals on cases with reference volumes, beside other methods",
                     kEvaluateExample);
  add_results(command_, results_);
  add_references(command_, references_).required();
  add_segmentations(command_, references_);
  add_calibration(command_, calibration_);
  add_levels(command_, levels_);
  command_.add("--out", output_, "Folder of the tables (default: the result folder)")
      .type_name("DIR");
  add_threads_and_quiet(command_, threads_, quiet_);
}

ExitCode EvaluateCommand::run() {
  if (quiet_) set_up_logging(Verbosity::kQuiet);
  EvaluateOptions options;
  options.results = results_;
  options.references = references_.source();
  options.calibration = CalibrationChoice::parse(calibration_);
  options.levels = parse_levels(levels_);
  options.threads = threads_from(threads_);
  const std::filesystem::path folder = output_.empty() ? results_ : output_;
  if (std::filesystem::is_directory(results_)) require_writable(folder / "coverage.csv");
  const Evaluation evaluation = evaluate(options);
  for (const std::string& note : evaluation.notes) spdlog::warn("{}", note);
  write_file_atomically(folder / "intervals.csv", intervals_csv(evaluation));
  write_file_atomically(folder / "comparison.csv", comparison_csv(evaluation));
  write_file_atomically(folder / "segmentations.csv", segmentations_csv(evaluation));
  write_file_atomically(folder / "segmentation_quality.csv", segmentation_quality_csv(evaluation));
  write_file_atomically(folder / "coverage.csv", coverage_csv(evaluation));
  write_file_atomically(folder / "evaluation.html", evaluation_page(evaluation, program_name()));
  say_coverage(evaluation);
  say_quality(evaluation);
  spdlog::info("{}: the same of every method, with interval scores and by size",
               (folder / "coverage.csv").string());
  spdlog::info("{}: to look at", (folder / "evaluation.html").string());
  return evaluation.left_out.empty() ? ExitCode::kSuccess : ExitCode::kScanFailed;
}

}  // namespace mcvol
