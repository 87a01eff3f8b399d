#pragma once

#include "mcvol/report/pages/evaluation_page.h"

#include <string>

namespace mcvol {

/// Whether bad segmentations are found: a table of what each signal reaches, and the risk of what
/// is kept by it. Empty where nothing is known of a region.
std::string quality_section(const EvaluatedRegion& region);

}  // namespace mcvol
