#include "report_page.h"

#include "mcvol/cli/version.h"
#include "mcvol/files/text_file.h"
#include "mcvol/pipeline/referenced_results.h"
#include "mcvol/report/volume_report.h"

#include <algorithm>
#include <exception>
#include <iterator>

#include "usual_level.h"
#include <spdlog/spdlog.h>

namespace mcvol {

Tabulation write_report_page(TabulateOptions options, const std::filesystem::path& output) {
  VolumeReport report;
  report.run = require_run_file(options.results);
  // At all levels of the run, for an interval may be flagged for what it is beside another's.
  Tabulation tabulation = tabulate(options);
  report.level = usual_level(tabulation.levels);
  report.calibration = tabulation.calibration;
  report.program = "mcvol " + program_version();
  for (const auto& [case_id, rows] : tabulation.rows_by_case) {
    std::copy_if(rows.begin(), rows.end(), std::back_inserter(report.rows), [&](const auto& row) {
      return row.level.empty() || row.level == report.level.text;
    });
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
  } catch (const std::exception& error) {
    spdlog::warn("report.html: {}", error.what());
  }
}

}  // namespace mcvol
