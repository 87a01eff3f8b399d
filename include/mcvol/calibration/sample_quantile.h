#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace mcvol {

/// Of ascending values, at least one, the smallest up to which lies `probability` of them.
inline double sample_quantile(const std::vector<double>& sorted, double probability) {
  const double position = std::ceil(probability * static_cast<double>(sorted.size())) - 1;
  return sorted[static_cast<std::size_t>(std::max(position, 0.0))];
}

}  // namespace mcvol
