#pragma once

#include "mcvol/calibration/nominal_coverage.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace mcvol {

/// Of several levels the one that a page shows: the next to 0.9.
inline NominalCoverage usual_level(const std::vector<NominalCoverage>& levels) {
  return *std::min_element(levels.begin(), levels.end(), [](const auto& a, const auto& b) {
    return std::abs(a.value - 0.9) < std::abs(b.value - 0.9);
  });
}

}  // namespace mcvol
