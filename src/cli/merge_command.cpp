#include "mcvol/cli/merge_command.h"

#include "mcvol/cli/logging.h"
#include "mcvol/cli/option_values.h"
#include "mcvol/cli/version.h"
#include "mcvol/pipeline/merge.h"
#include "mcvol/report/pages/write_report_page.h"

#include <spdlog/spdlog.h>

namespace mcvol {

namespace {

constexpr const char* kMergeExample =
    "Example:\n"
    "  mcvol merge results --out results\n"
    "  brings results/shards/*-of-8 together in results/.";

}  // namespace

void MergeCommand::setup(CLI::App& program) {
  command_ =
      CommandOptions(program, "merge", "Bring shards together in one result folder", kMergeExample);
  command_.add("results", results_, "Result folders; one that has shards/ stands for its shards")
      .type_name("RESULTS")
      .required();
  command_.add("--out", output_, "Result folder to write").type_name("DIR").required();
  command_
      .add("--level", levels_,
           "Coverage of the intervals, above 0 and below 1; repeatable (default: "
           "those of the runs)")
      .type_name("P")
      .one_value_at_a_time();
  command_.add_flag("--quiet", quiet_, "Nothing on stderr unless the exit code is not 0");
}

ExitCode MergeCommand::run() {
  if (quiet_) set_up_logging(Verbosity::kQuiet);
  MergeOptions options;
  options.sources = results_;
  options.out = output_;
  options.levels = parse_levels(levels_);
  const MergeReport report = merge_results(options);
  for (const std::string& warning : report.warnings) spdlog::warn("{}", warning);
  for (const std::string& note : report.notes) spdlog::error("{}", note);
  spdlog::info("{}: {} measured, {} failed, from {} folders", (output_ / "volumes.csv").string(),
               report.done, report.failed, report.sources);
  for (const std::string& note : write_report_of_run(output_, program_name(), threads_from(""))) {
    spdlog::warn("{}", note);
  }
  // A script must not take a table with a shard missing for the whole.
  if (!report.all_sources) return ExitCode::kCannotGoOn;
  return report.failed > 0 || report.left_out > 0 ? ExitCode::kScanFailed : ExitCode::kSuccess;
}

}  // namespace mcvol
