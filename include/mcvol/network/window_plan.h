#pragma once

#include "mcvol/image/image.h"
#include "mcvol/network/bundle.h"

#include <cstdint>
#include <vector>

namespace mcvol {

/// One placement of the network on the grid.
struct Window {
  Index3 output_begin{0, 0, 0};  ///< first voxel of the output, image axes
  /// Measured voxels inside the output, as positions in the list of measured voxels and as offsets
  /// in the output tile [d0, d1, d2] (network axes, d2 fastest), ascending by tile offset.
  std::vector<std::int64_t> voxels;
  std::vector<std::int64_t> tile_offsets;
};

/// Where a network's windows lie on a scan: a lattice of abutting outputs that covers the measured
/// voxels, anchored as the bundle says; windows that hold none of them are left out.
struct WindowPlan {
  Index3 input_size{0, 0, 0};   ///< image axes
  Index3 output_size{0, 0, 0};  ///< image axes
  Index3 margin{0, 0, 0};       ///< input_begin = output_begin - margin
  std::vector<Window> windows;  ///< in ascending order of z, y, x
};

WindowPlan plan_windows(const Image<std::uint8_t>& measured, const Bundle::Window& window,
                        const std::array<int, 3>& axes);

}  // namespace mcvol
