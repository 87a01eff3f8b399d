#include "window_flips.h"

#include <algorithm>

namespace mcvol {

WindowFlips::WindowFlips(const std::vector<int>& mirrored, const std::array<int, 3>& axes,
                         const std::array<std::int64_t, 3>& tile)
    : tile_(tile) {
  for (const int axis : mirrored) {
    const auto found = std::find(axes.begin(), axes.end(), axis);
    dimensions_.push_back(static_cast<std::size_t>(found - axes.begin()));
  }
}

WindowData WindowFlips::flipped(const WindowData& window, int number) const {
  if (number == 0) return window;
  const std::array<std::int64_t, 3> strides{tile_[1] * tile_[2], tile_[2], 1};
  std::vector<std::int64_t> image_dimensions;
  WindowData mirrored = window;
  for (std::size_t n = 0; n < dimensions_.size(); ++n) {
    if ((number >> n & 1) == 0) continue;
    const std::size_t d = dimensions_[n];
    image_dimensions.push_back(static_cast<std::int64_t>(d) + 2);
    const at::Tensor place =
        at::remainder(at::floor_divide(mirrored.tile_offsets, strides[d]), tile_[d]);
    mirrored.tile_offsets = mirrored.tile_offsets + (tile_[d] - 1 - 2 * place) * strides[d];
  }
  mirrored.image = window.image.flip(image_dimensions);
  return mirrored;
}

}  // namespace mcvol
