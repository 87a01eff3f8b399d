#include "report_page.h"

#include "mcvol/cli/version.h"
#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"
#include "mcvol/pipeline/referenced_results.h"
#include "mcvol/report/volume_report.h"

#include <algorithm>
#include <iterator>

#include "usual_level.h"
#include <spdlog/spdlog.h>

namespace mcvol {

Tabulation write_report_page(TabulateOptions options, const std::filesystem::path& output) {
  VolumeReport report;
  report.run = require_run_file(options.results);
  if (options.levels.empty()) options.levels = {usual_level(levels_or_those_of({}, report.run))};
  Tabulation tabulation = tabulate(options);
  report.level = options.levels.front();
  report.calibration = tabulation.calibration;
  report.program = "mcvol " + program_version();
  for (const auto& [case_id, rows] : tabulation.rows_by_case) {
    std::copy(rows.begin(), rows.end(), std::back_inserter(report.rows));
  }
  write_file_atomically(output, volume_report_html(report));
  return tabulation;
}

void write_report_of_run(const std::filesystem::path& results, int threads) {
  TabulateOptions options;
  options.results = results;
  options.threads = threads;
  try {
    write_report_page(options, results / "report.html");
  } catch (const Error& error) {
    spdlog::warn("report.html: {}", error.what());
  }
}

}  // namespace mcvol
