#pragma once

#include "mcvol/io/run_file.h"
#include "mcvol/io/volume_table.h"

#include <string>
#include <vector>

namespace mcvol {

/// What report.html of a result folder is made of.
struct VolumeReport {
  RunFile run;
  CalibrationPointer calibration;  ///< may be null
  NominalCoverage level;
  std::vector<VolumeRow> rows;  ///< of that level, and the failed; sorted by case_id
  std::string program;          ///< name and version
};

/// Rows of a chart; those flagged come first where there are more.
inline constexpr std::size_t kMostChartRows = 500;

/// One self-contained page: what failed or is flagged first, then per region the intervals of all
/// cases on one axis, calibrated above raw, then how they were made and what they mean.
std::string volume_report_html(const VolumeReport& report);

}  // namespace mcvol
