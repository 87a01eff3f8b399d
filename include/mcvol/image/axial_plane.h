#pragma once

#include "mcvol/image/grid.h"

#include <cstddef>

namespace mcvol {

/// How axial slices of a grid become pictures, as radiologists look at them: the patient's left on
/// the right, anterior at the top. Slices of an oblique scan are those of its own axis nearest to
/// superior.
struct AxialPlane {
  std::size_t across = 0;        ///< grid axis along a row of pixels
  std::size_t down = 1;          ///< along a column
  std::size_t through = 2;       ///< from slice to slice
  bool across_reversed = false;  ///< the index falls from left to right
  bool down_reversed = false;    ///< from top to bottom
  std::int64_t step = 1;         ///< voxels that a pixel covers, along either side
  std::int64_t width = 0, height = 0;
  double aspect = 1;  ///< height of a pixel over its width, in mm

  /// Pictures are at most so wide and high.
  static constexpr std::int64_t kMostPixels = 256;

  explicit AxialPlane(const Grid& grid);

  /// Of the pixel (column, row) of the picture that shows this voxel.
  std::int64_t pixel_of(const Index3& voxel) const;
};

}  // namespace mcvol
