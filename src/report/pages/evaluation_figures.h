#pragma once

#include "mcvol/report/pages/evaluation_page.h"

#include <string>

namespace mcvol {

// Pictures of one region, as SVG; the first method is what they are about.

/// Reliability diagram: how many intervals hold, at every level that the references reach.
std::string reliability_svg(const EvaluatedRegion& region);
/// Histogram of the probability integral transforms of the references.
std::string pit_svg(const EvaluatedRegion& region);
/// Predicted median and interval against the reference (Eaton-Rosen et al. 2018, Fig. 3).
std::string against_reference_svg(const EvaluatedRegion& region);
std::string width_svg(const EvaluatedRegion& region);

}  // namespace mcvol
