#include "mcvol/cli/interval_command.h"

#include "mcvol/analysis/tabulate.h"
#include "mcvol/cli/logging.h"
#include "mcvol/cli/option_values.h"
#include "mcvol/files/text_file.h"

#include <iostream>
#include <optional>

#include "shared_options.h"
#include <spdlog/spdlog.h>

namespace mcvol {

namespace {

constexpr const char* kIntervalExample =
    "Examples:\n"
    "  mcvol interval results --level 0.5 --level 0.95 > volumes_2.csv\n"
    "  mcvol interval results --calibration mine.json --output volumes_mine.csv\n"
    "The table of the result folder itself: mcvol predict again, which measures nothing twice.";

std::optional<SamplerOptions> sampler_from(const std::string& word, const std::string& rho) {
  if (word.empty()) {
    if (!rho.empty()) throw UsageError("--rho goes with --sampler copula");
    return std::nullopt;
  }
  if (word == "copula") {
    if (rho.empty()) throw UsageError("--sampler copula: give its correlation with --rho");
    return SamplerOptions{Sampler::kCopula, number_from("--rho", rho, 0, 1)};
  }
  if (!rho.empty()) throw UsageError("--rho goes with --sampler copula");
  if (word == "soft") return SamplerOptions{Sampler::kSoft, 1};
  if (word == "threshold") return SamplerOptions{Sampler::kThreshold, 1};
  if (word == "bernoulli") return SamplerOptions{Sampler::kBernoulli, 0};
  return SamplerOptions{Sampler::kLevelSet, 1};
}

}  // namespace

void IntervalCommand::setup(CLI::App& program) {
  command_ =
      CommandOptions(program, "interval",
                     "Other levels or another calibration for measured cases, without inference",
                     kIntervalExample);
  add_results(command_, results_);
  add_levels(command_, levels_);
  add_calibration(command_, calibration_);
  add_quality(command_, quality_, "the run's, else that of the worst 5 % of the calibration's");
  command_
      .add("--sampler", sampler_,
           "Conversion of the raw columns in place of level sets; not calibrated")
      .type_name("SAMPLER")
      .one_of({"soft", "threshold", "bernoulli", "level_set", "copula"});
  command_.add("--rho", rho_, "Correlation of --sampler copula, 0 to 1").type_name("R");
  command_.add("--output", output_, "Table to write; - is stdout")
      .type_name("FILE|-")
      .show_default();
  add_threads_and_quiet(command_, threads_, quiet_);
}

ExitCode IntervalCommand::run() {
  if (quiet_) set_up_logging(Verbosity::kQuiet);
  TabulateOptions options;
  options.results = results_;
  options.calibration = CalibrationChoice::parse(calibration_);
  options.levels = parse_levels(levels_);
  options.least_dice = least_dice_from(quality_);
  options.sampler = sampler_from(sampler_, rho_);
  options.threads = threads_from(threads_);
  const Tabulation tabulation = tabulate(options);
  for (const std::string& note : tabulation.notes) spdlog::warn("{}", note);
  if (!tabulation.calibration && calibration_ != "none" && !options.sampler) {
    spdlog::warn(
        "uncalibrated: no calibration in the result folder; the raw intervals promise no coverage");
  }
  if (output_ == "-") {
    std::cout << tabulation.csv();
  } else {
    write_file_atomically(output_, tabulation.csv());
  }
  for (const std::string& line : tabulation.unreadable) spdlog::error("{}", line);
  // A script must not take a table with a case missing for the whole.
  const bool whole = tabulation.unreadable.empty() && tabulation.failed == 0;
  return whole ? ExitCode::kSuccess : ExitCode::kScanFailed;
}

}  // namespace mcvol
