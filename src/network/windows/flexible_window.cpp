#include "flexible_window.h"

#include <algorithm>

namespace mcvol {
namespace {

// A brain at 1 mm; beyond it a window only grows into padding.
constexpr std::int64_t kLargestSide = 192;

using Triple = std::array<std::int64_t, 3>;

std::int64_t product(const Triple& sizes) { return sizes[0] * sizes[1] * sizes[2]; }

Bundle::Window multiple_of(const Bundle::Window& window, const Triple& factors) {
  Bundle::Window grown = window;
  for (std::size_t d = 0; d < 3; ++d) {
    grown.output[d] = window.output[d] * factors[d];
    grown.input[d] = grown.output[d] + window.input[d] - window.output[d];
  }
  return grown;
}

}  // namespace

Bundle::Window grown_window(const Bundle::Window& window, std::int64_t window_bytes,
                            std::int64_t memory_bytes) {
  const double bytes_per_voxel =
      static_cast<double>(window_bytes) / static_cast<double>(product(window.input));
  Triple most;
  for (std::size_t d = 0; d < 3; ++d) {
    most[d] = std::max<std::int64_t>(1, kLargestSide / window.output[d]);
  }
  Bundle::Window best = window;
  const auto longest = [](const Bundle::Window& of) {
    return *std::max_element(of.output.begin(), of.output.end());
  };
  for (Triple factors = {1, 1, 1}; factors[0] <= most[0]; ++factors[0]) {
    for (factors[1] = 1; factors[1] <= most[1]; ++factors[1]) {
      for (factors[2] = 1; factors[2] <= most[2]; ++factors[2]) {
        const Bundle::Window grown = multiple_of(window, factors);
        const double bytes = bytes_per_voxel * static_cast<double>(product(grown.input));
        if (bytes > static_cast<double>(memory_bytes)) break;
        if (grown.most_over_a_voxel() > Bundle::Window::kMostBlended) continue;
        const std::int64_t gain = product(grown.output) - product(best.output);
        if (gain > 0 || (gain == 0 && longest(grown) < longest(best))) best = grown;
      }
    }
  }
  return best;
}

}  // namespace mcvol
