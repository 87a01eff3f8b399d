#pragma once

#include "mcvol/io/tables/volume_row.h"

#include <string>
#include <vector>

namespace mcvol {

/// "12.3 [10.1, 15.0]" in ml: calibrated, or raw where there is no calibration.
std::string interval_text(const VolumeRow& row);

/// SVG pictures of a page's length at most, one below the other: a row per case with its calibrated
/// interval and median, the raw interval below it and a tick where a plain segmentation lies; all
/// on one axis. @param rows of one region.
std::string interval_chart(const std::string& title, const std::vector<VolumeRow>& rows);

}  // namespace mcvol
