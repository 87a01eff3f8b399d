#pragma once

#include "mcvol/image/grid.h"

#include <array>
#include <cstddef>
#include <cstdint>

namespace mcvol {

/// Which way a slice is cut.
enum class Plane : std::uint8_t { kAxial, kCoronal, kSagittal };

/// How slices of a grid become pictures, as radiologists look at them: axial ones from below and
/// coronal ones from the front, with the patient's left on the right, and sagittal ones from the
/// patient's left. Slices of an oblique scan are those along its own axes, by the anatomical axis
/// that each is nearest to.
struct SlicePlane {
  std::size_t across = 0;         ///< grid axis along a row of pixels
  std::size_t down = 1;           ///< along a column
  std::size_t through = 2;        ///< from slice to slice
  bool across_reversed = false;   ///< the index falls from left to right
  bool down_reversed = false;     ///< from top to bottom
  bool through_reversed = false;  ///< from right, front or below to the slices beyond
  /// The side of the patient that lies there: one of R, L, A, P, S and I.
  char left = 'R', right = 'L', top = 'A', bottom = 'P';
  /// Voxels that a pixel covers. Axes to the left and to posterior have one step for both; that to
  /// superior, along which slices are often thick and few, has its own.
  std::int64_t step_across = 1, step_down = 1;
  std::int64_t width = 0, height = 0;  ///< of the picture, in pixels
  double pixel_width_mm = 1, pixel_height_mm = 1;

  /// Pictures are at most so wide and high.
  static constexpr std::int64_t kMostPixels = 256;

  SlicePlane(const Grid& grid, Plane plane);

  /// Height of a pixel over its width.
  double aspect() const { return pixel_height_mm / pixel_width_mm; }
  /// Of the pixel (column, row) of the picture that shows this voxel.
  std::int64_t pixel_of(const Index3& voxel) const;
};

}  // namespace mcvol
