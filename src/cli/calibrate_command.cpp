#include "mcvol/cli/calibrate_command.h"

#include "mcvol/analysis/calibrate.h"
#include "mcvol/cli/logging.h"
#include "mcvol/cli/option_values.h"
#include "mcvol/cli/version.h"

#include <charconv>
#include <cmath>
#include <iostream>
#include <string_view>

#include "shared_options.h"
#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

namespace mcvol {

namespace {

constexpr const char* kCalibrateExample =
    "Examples:\n"
    "  mcvol calibrate results --references volumes.csv --output calibration.json\n"
    "  mcvol calibrate --plan --level 0.9 --level 0.95\n"
    "stdout: what is promised and how the calibration did on its own cases, as CSV.";

/// "5,20": ascending volumes above 0.
std::vector<double> strata_from(const std::string& text) {
  std::vector<double> edges;
  const auto refuse = [&] {
    throw UsageError("--strata: expected ascending volumes above 0 ml such as 5,20, found \"" +
                     text + "\"");
  };
  const char* at = text.data();
  const char* end = at + text.size();
  while (at != end) {
    double edge = 0;
    const auto parsed = std::from_chars(at, end, edge);
    const bool ascending = edge > (edges.empty() ? 0.0 : edges.back());
    if (parsed.ec != std::errc() || !std::isfinite(edge) || !ascending) refuse();
    edges.push_back(edge);
    at = parsed.ptr;
    if (at == end) break;
    if (*at != ',' || at + 1 == end) refuse();
    ++at;
  }
  return edges;
}

std::string csv_of(const std::vector<StratumReport>& reports) {
  std::string text =
      "region,from_ml,level,n,rank,expected_coverage,coverage_lower,coverage_upper,raw_coverage,"
      "raw_coverage_lower,raw_coverage_upper,raw_mean_width_ml,raw_interval_score_ml,"
      "raw_crps_root,cv_mean_width_ml,cv_interval_score_ml,cv_crps_root\n";
  for (const StratumReport& report : reports) {
    text += fmt::format("{},{:g},{},{},{}", report.region, report.from_ml, report.level.text,
                        report.n, report.rank);
    text += report.rank > 0 ? fmt::format(",{:.4f},{:.4f},{:.4f}", report.expected_coverage,
                                          report.coverage_range.lower, report.coverage_range.upper)
                            : ",,,";
    const CoverageSummary& raw = report.raw;
    text += fmt::format(",{:.4f},{:.4f},{:.4f},{:.3f},{:.3f},{:.4f}", raw.coverage,
                        raw.coverage_range.lower, raw.coverage_range.upper, raw.mean_width_ml,
                        raw.interval_score_ml, raw.crps_root);
    const CoverageSummary& cross = report.cross_validated;
    text += cross.n > 0 ? fmt::format(",{:.3f},{:.3f},{:.4f}\n", cross.mean_width_ml,
                                      cross.interval_score_ml, cross.crps_root)
                        : ",,,\n";
  }
  return text;
}

void say_promise(const StratumReport& report, IntervalMethod method) {
  const std::string where = report.from_ml > 0
                                ? fmt::format("{} from {:g} ml", report.region, report.from_ml)
                                : report.region;
  if (method == IntervalMethod::kQuantile) {
    spdlog::info(
        "{}: level {} covers {:.1f} % on average with {} references; the other methods do not "
        "fall short",
        where, report.level.text, 100 * report.expected_coverage, report.n);
  } else if (report.rank == 0) {
    spdlog::warn("{}: {} references do not reach level {}, which takes {}", where, report.n,
                 report.level.text, least_references(report.level));
  } else {
    spdlog::info(
        "{}: level {} covers {:.1f} % on average over calibrations with {} references; this one "
        "between {:.1f} and {:.1f} % (9 of 10 calibrations)",
        where, report.level.text, 100 * report.expected_coverage, report.n,
        100 * report.coverage_range.lower, 100 * report.coverage_range.upper);
  }
}

void say_dice(const DiceReport& report) {
  if (report.rank == 0) {
    spdlog::warn("{}: Dice of {} segmentations does not reach level {}", report.region, report.n,
                 report.level.text);
    return;
  }
  spdlog::info(
      "{}: the Dice of a segmentation is at least dice_lower in {:.1f} % on average at level {}, "
      "with {} segmentations; of an expected {:.2f} or less it is flagged low_quality",
      report.region,
      100 * (1 - static_cast<double>(report.rank) / static_cast<double>(report.n + 1)),
      report.level.text, report.n, report.least);
}

}  // namespace

void CalibrateCommand::setup(CLI::App& program) {
  command_ = CommandOptions(program, "calibrate",
                            "Make a calibration from measured cases with reference volumes",
                            kCalibrateExample);
  command_.add("results", results_, "Result folder of mcvol predict").type_name("RESULTS");
  add_references(command_, references_);
  add_segmentations(command_, references_);
  command_
      .add("--method", method_,
           "How intervals are made, by default regression; those of quantile fall short of their "
           "level")
      .type_name("METHOD")
      .one_of({"regression", "scaled", "conformal", "quantile"});
  command_
      .add("--strata", strata_,
           "Calibrate strata of predicted volume apart, cut at these volumes; at least 50 "
           "references in each")
      .type_name("ML,…");
  command_
      .add("--group", groups_, "CSV of case_id and group: one case of each group (patient) counts")
      .type_name("CSV");
  command_.add_flag("--simulated", simulated_,
                    "The cases are simulated: says so in the file and in a flag on every row");
  command_.add("--level", levels_, "Coverage to report on, above 0 and below 1; repeatable")
      .type_name("P")
      .one_value_at_a_time()
      .show_default();
  command_.add_flag("--plan", plan_,
                    "Only say how many references a level takes and how far coverage spreads");
  command_.add("--output", output_, "Calibration to write").type_name("FILE").show_default();
  add_threads_and_quiet(command_, threads_, quiet_);
}

ExitCode CalibrateCommand::plan() const {
  std::string text = "level,n,rank,expected_coverage,coverage_lower,coverage_upper\n";
  for (const PlanRow& row : plan_references(parse_levels(levels_))) {
    text += fmt::format("{},{},{},{:.4f},{:.4f},{:.4f}\n", row.level.text, row.n, row.rank,
                        row.expected_coverage, row.coverage_range.lower, row.coverage_range.upper);
  }
  std::cout << text;
  return ExitCode::kSuccess;
}

ExitCode CalibrateCommand::run() {
  if (quiet_) set_up_logging(Verbosity::kQuiet);
  if (plan_) return plan();
  if (results_.empty()) throw UsageError("no result folder given (RESULTS)");
  if (references_.path.empty()) {
    throw UsageError(
        "no references given; name a table or a folder of label maps with "
        "--references");
  }
  CalibrateOptions options;
  options.results = results_;
  options.references = references_.source();
  if (!method_.empty()) options.method = interval_method_from(method_);
  options.strata_ml = strata_from(strata_);
  options.groups = groups_;
  options.simulated = simulated_;
  options.levels = parse_levels(levels_);
  options.output = output_;
  options.threads = threads_from(threads_);
  options.version = program_version();
  const CalibrateReport report = calibrate(options);
  for (const std::string& note : report.notes) spdlog::warn("{}", note);
  const IntervalMethod method = report.calibration.method;
  for (const StratumReport& stratum : report.strata) say_promise(stratum, method);
  for (const DiceReport& dice : report.dice) say_dice(dice);
  if (!report.why_no_dice.empty()) spdlog::info("{}", report.why_no_dice);
  spdlog::info(
      "{}: {} calibration from {} cases, {}; it holds for cases drawn like these, of the "
      "volume the reference procedure would give",
      output_.string(), to_string(method), report.scans, report.calibration.sha256.substr(0, 8));
  std::cout << csv_of(report.strata);
  return report.left_out.empty() ? ExitCode::kSuccess : ExitCode::kScanFailed;
}

}  // namespace mcvol
