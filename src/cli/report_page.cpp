#include "report_page.h"

#include "mcvol/cli/version.h"
#include "mcvol/files/text_file.h"
#include "mcvol/pipeline/referenced_results.h"
#include "mcvol/report/volume_report.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <optional>
#include <utility>

#include "usual_level.h"
#include <spdlog/spdlog.h>

namespace mcvol {

namespace {

/// A picture that cannot be read is noted, and the page goes without it.
std::optional<CaseSlice> slice_of_case(const std::filesystem::path& results,
                                       const std::string& case_id,
                                       std::vector<std::string>& notes) {
  const std::filesystem::path path = thumbnail_path(results, case_id);
  try {
    if (!std::filesystem::exists(path)) return std::nullopt;
    CaseRecord record = read_case_record(results, case_id);
    if (record.status != CaseRecord::Status::kOk) return std::nullopt;
    CaseSlice slice;
    slice.thumbnail = read_thumbnail(path, record.grid, record.regions.size());
    slice.grid = record.grid;
    for (RegionRecord& region : record.regions) {
      slice.means.emplace_back(std::move(region.region), region.mean);
    }
    return slice;
  } catch (const std::exception& error) {
    notes.push_back(std::string("a picture is left out: ") + error.what());
    return std::nullopt;
  }
}

}  // namespace

ReportPage write_report_page(const TabulateOptions& options, const std::filesystem::path& output,
                             Pictures pictures) {
  VolumeReport report;
  report.run = require_run_file(options.results);
  // At all levels of the run, for an interval may be flagged for what it is beside another's.
  ReportPage page;
  page.tabulation = tabulate(options);
  const Tabulation& tabulation = page.tabulation;
  report.level = usual_level(tabulation.levels);
  report.calibration = tabulation.calibration;
  report.program = "mcvol " + program_version();
  for (const auto& [case_id, rows] : tabulation.rows_by_case) {
    std::copy_if(rows.begin(), rows.end(), std::back_inserter(report.rows), [&](const auto& row) {
      return row.level.empty() || row.level == report.level.text;
    });
  }
  const std::filesystem::path changes = options.results / "change.csv";
  try {
    if (std::filesystem::exists(changes)) report.changes = read_change_table(changes);
  } catch (const std::exception& error) {
    page.notes.push_back(std::string(error.what()) + "; the page is without changes");
  }
  if (pictures == Pictures::kShow) {
    report.slice_of = [&](const std::string& case_id) {
      return slice_of_case(options.results, case_id, page.notes);
    };
  }
  write_file_atomically(output, volume_report_html(report));
  return page;
}

void write_report_of_run(const std::filesystem::path& results, int threads) {
  TabulateOptions options;
  options.results = results;
  options.threads = threads;
  try {
    const ReportPage page = write_report_page(options, results / "report.html");
    for (const std::string& note : page.notes) spdlog::warn("report.html: {}", note);
  } catch (const std::exception& error) {
    spdlog::warn("report.html: {}", error.what());
  }
}

}  // namespace mcvol
