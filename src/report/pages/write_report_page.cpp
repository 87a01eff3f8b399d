#include "mcvol/report/pages/write_report_page.h"

#include "mcvol/analysis/referenced_results.h"
#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"
#include "mcvol/report/pages/report_page.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <optional>
#include <utility>

namespace mcvol {

namespace {

/// A slice that cannot be read is noted, and the page goes without it.
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
    if (slice.thumbnail.measurement && *slice.thumbnail.measurement != measurement_of(record)) {
      throw InputError(path.filename().string() +
                       ": of another measurement of the case; measure it again with --fresh");
    }
    slice.grid = record.grid;
    for (RegionRecord& region : record.regions) {
      slice.means.emplace_back(std::move(region.region), region.mean);
    }
    return slice;
  } catch (const std::exception& error) {
    notes.push_back("a slice is left out: " + message_of(error));
    return std::nullopt;
  }
}

/// A page must not show a change between other volumes than those beside it.
bool is_older_than_its_volumes(const std::filesystem::path& changes,
                               const std::filesystem::path& results) {
  namespace fs = std::filesystem;
  const auto written = fs::last_write_time(changes);
  const fs::path calibration = results / "calibration.json";
  if (fs::exists(calibration) && fs::last_write_time(calibration) > written) return true;
  const fs::directory_iterator records(results / "cases");
  return std::any_of(begin(records), end(records), [&](const fs::directory_entry& record) {
    return record.last_write_time() > written;
  });
}

}  // namespace

ReportPage write_report_page(const TabulateOptions& options, const std::string& program,
                             const std::filesystem::path& output, Slices slices) {
  ReportContent report;
  report.run = require_run_file(options.results);
  // At all levels of the run, for an interval may be flagged for what it is beside another's.
  ReportPage page;
  page.tabulation = tabulate(options);
  const Tabulation& tabulation = page.tabulation;
  report.level = usual_level(tabulation.levels);
  report.calibration = tabulation.calibration;
  report.batch = tabulation.batch;
  report.program = program;
  for (const auto& [case_id, rows] : tabulation.rows_by_case) {
    std::copy_if(rows.begin(), rows.end(), std::back_inserter(report.rows), [&](const auto& row) {
      return row.level.empty() || row.level == report.level.text;
    });
  }
  const std::filesystem::path changes = options.results / "change.csv";
  try {
    if (!std::filesystem::exists(changes)) {
    } else if (is_older_than_its_volumes(changes, options.results)) {
      page.notes.push_back(changes.string() +
                           ": older than the volumes or their calibration, so the page is without "
                           "changes; run mcvol change again");
    } else {
      report.changes = read_change_table(changes);
    }
  } catch (const std::exception& error) {
    page.notes.push_back(message_of(error) + "; the page is without changes");
  }
  if (slices == Slices::kShow) {
    report.slice_of = [&](const std::string& case_id) {
      return slice_of_case(options.results, case_id, page.notes);
    };
  }
  write_file_atomically(output, report_page_html(report));
  return page;
}

std::vector<std::string> write_report_of_run(const std::filesystem::path& results,
                                             const std::string& program, int threads,
                                             Slices slices) {
  TabulateOptions options;
  options.results = results;
  options.threads = threads;
  std::vector<std::string> notes;
  try {
    notes = write_report_page(options, program, results / "report.html", slices).notes;
  } catch (const DiskError&) {
    throw;
  } catch (const std::exception& error) {
    notes = {message_of(error)};
  }
  for (std::string& note : notes) note.insert(0, "report.html: ");
  return notes;
}

}  // namespace mcvol
