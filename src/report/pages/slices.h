#pragma once

#include <set>
#include <string>
#include <vector>

#include "slice_figure.h"

namespace mcvol {

/// The slices of a page, and whose.
struct SliceSection {
  std::string html;  ///< empty where there is none
  std::set<std::string> case_ids;
};

/// The id of the element that shows a case's slice.
std::string slice_anchor(const std::string& case_id);

/// The slices of these cases, in their order, kMostSlices at most: contours of each region on the
/// scan, and the uncertainty beside them. Those along other planes than the axial are shown of
/// cases with a flag that is a reason to look.
SliceSection slice_section(const ReportContent& report, const std::vector<RowsOfCase>& cases);

}  // namespace mcvol
