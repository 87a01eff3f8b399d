#include "mcvol/cli/report_command.h"

#include "mcvol/cli/logging.h"
#include "mcvol/cli/option_values.h"
#include "mcvol/cli/version.h"
#include "mcvol/files/text_file.h"
#include "mcvol/report/pages/write_report_page.h"

#include "shared_options.h"
#include <spdlog/spdlog.h>

namespace mcvol {

namespace {

constexpr const char* kReportExample =
    "Example:\n"
    "  mcvol report results\n"
    "  writes results/report.html, which predict and merge have written as well; after mcvol "
    "change\n"
    "  it shows what changed.";

}  // namespace

void ReportCommand::setup(CLI::App& program) {
  command_ = CommandOptions(
      program, "report", "The report page: what is flagged, every interval, a slice of each scan",
      kReportExample);
  add_results(command_, results_);
  command_
      .add("--level", level_,
           "Coverage of the intervals shown (default: that of the run next to 0.9)")
      .type_name("P");
  add_calibration(command_, calibration_);
  command_
      .add("--output", output_, "Report page to write (default: report.html in the result folder)")
      .type_name("FILE");
  command_.add_flag("--no-thumbnails", no_thumbnails_,
                    "Leave the slices of the scans out of the report page");
  add_threads_and_quiet(command_, threads_, quiet_);
}

ExitCode ReportCommand::run() {
  if (quiet_) set_up_logging(Verbosity::kQuiet);
  TabulateOptions options;
  options.results = results_;
  options.calibration = CalibrationChoice::parse(calibration_);
  if (!level_.empty()) options.levels = parse_levels({level_});
  options.threads = threads_from(threads_);
  const std::filesystem::path output =
      output_.empty() ? results_ / "report.html" : std::filesystem::path(output_);
  if (std::filesystem::is_directory(results_)) require_writable(output);
  const auto [tabulation, notes] = write_report_page(
      options, program_name(), output, no_thumbnails_ ? Slices::kLeaveOut : Slices::kShow);
  for (const std::string& note : tabulation.notes) spdlog::warn("{}", note);
  for (const std::string& note : notes) spdlog::warn("{}", note);
  for (const std::string& line : tabulation.unreadable) spdlog::error("{}", line);
  spdlog::info("{}", output.string());
  return tabulation.unreadable.empty() ? ExitCode::kSuccess : ExitCode::kScanFailed;
}

}  // namespace mcvol
