#pragma once

#include "mcvol/io/tables/volume_row.h"

#include <cstddef>
#include <string>
#include <vector>

namespace mcvol {

/// "12.3 [10.1, 15.0]" in ml: calibrated, or raw where there is no calibration.
std::string interval_text(const VolumeRow& row);

/// Rows of a chart that go beyond its axis, which ends at axis_end_ml() of them; arrows point
/// there.
std::size_t rows_beyond_axis(const std::vector<VolumeRow>& rows);

/// SVG pictures of a page's length at most, one below the other: a row per case with its calibrated
/// interval and median, the raw interval below it and a tick where a plain segmentation lies; all
/// on one axis. @param rows of one region.
std::string interval_chart(const std::string& title, const std::vector<VolumeRow>& rows);

}  // namespace mcvol
