#pragma once

#include "mcvol/report/pages/report_page.h"

#include <cstddef>
#include <string>
#include <vector>

namespace mcvol {

/// The rows of one case, of which there is at least one.
using RowsOfCase = std::vector<const VolumeRow*>;

/// Islands and holes that are smaller in the slice are not drawn: they hide the scan, and say
/// little of where the tumour lies. The largest of each line always is.
inline constexpr double kLeastIsland_mm2 = 20;

/// The slices of a case, a row of panels each: the whole slice, each region's contours on what it
/// is seen best on, and the uncertainty. Every panel opens as large as the window allows.
/// @param number of the case on the page, for ids. @param channel_names of the thumbnail's; empty
///   where not known. @return empty where there is nothing to show.
std::string slice_panels(const std::string& case_id, const CaseSlice& of, std::size_t number,
                         const RowsOfCase& rows, const std::vector<std::string>& channel_names);

}  // namespace mcvol
