#pragma once

#include "mcvol/analysis/volume_table.h"
#include "mcvol/io/records/run_file.h"
#include "mcvol/io/records/thumbnail.h"
#include "mcvol/io/tables/change_table.h"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mcvol {

/// A slice of a case and what its contours take.
struct CaseSlice {
  Thumbnail thumbnail;
  Grid grid;  ///< of the record
  /// By region, in the order of the thumbnail's: the histogram of the mean probability.
  std::vector<std::pair<std::string, LogitHistogram>> means;
};

/// What report.html of a result folder is made of.
struct ReportContent {
  RunFile run;
  CalibrationPointer calibration;   ///< may be null
  std::optional<BatchCheck> batch;  ///< of all scans; none where it is not known
  NominalCoverage level;
  std::vector<VolumeRow> rows;  ///< of that level, and the failed; sorted by case_id
  std::string program;          ///< name and version
  /// Gives the slice of a case; none where none was kept. May be empty: no slices.
  std::function<std::optional<CaseSlice>(const std::string& case_id)> slice_of;
  std::vector<ChangeRow> changes;  ///< of change.csv, whatever levels; may be empty
};

/// Rows of a chart; those flagged come first where there are more.
inline constexpr std::size_t kMostChartRows = 500;
/// Cases with a slice; those flagged come first where there are more.
inline constexpr std::size_t kMostSlices = 200;

/// One self-contained page: what failed or is flagged first, then per region the intervals of all
/// cases on one axis, calibrated above raw, then a slice of each, what changed between two scans of
/// a subject, and how all this was made.
std::string report_page_html(const ReportContent& report);

}  // namespace mcvol
