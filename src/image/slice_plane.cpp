#include "mcvol/image/slice_plane.h"

#include <algorithm>
#include <string>

namespace mcvol {

namespace {

std::int64_t voxels_of_a_pixel(std::int64_t voxels) {
  return std::max<std::int64_t>(1,
                                (voxels + SlicePlane::kMostPixels - 1) / SlicePlane::kMostPixels);
}

double spacing_along(const Grid& grid, std::size_t axis) {
  return grid.spacing_mm[static_cast<Eigen::Index>(axis)];
}

}  // namespace

SlicePlane::SlicePlane(const Grid& grid, Plane plane) {
  if (plane == Plane::kSagittal) {
    left = 'A';
    right = 'P';
  }
  if (plane != Plane::kAxial) {
    top = 'S';
    bottom = 'I';
  }
  const std::string letters = orientation_of(grid);
  std::array<std::int64_t, 3> steps{1, 1, 1};
  std::int64_t longest = 0;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const char letter = letters[axis];
    if (letter == left || letter == right) {
      across = axis;
      across_reversed = letter == left;
    } else if (letter == top || letter == bottom) {
      down = axis;
      down_reversed = letter == top;
    } else {
      through = axis;
      through_reversed = letter == 'R' || letter == 'A' || letter == 'I';
    }
    if (letter != 'S' && letter != 'I') longest = std::max(longest, grid.size[axis]);
  }
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const bool upwards = letters[axis] == 'S' || letters[axis] == 'I';
    steps[axis] = voxels_of_a_pixel(upwards ? grid.size[axis] : longest);
  }
  step_across = steps[across];
  step_down = steps[down];
  width = (grid.size[across] + step_across - 1) / step_across;
  height = (grid.size[down] + step_down - 1) / step_down;
  pixel_width_mm = static_cast<double>(step_across) * spacing_along(grid, across);
  pixel_height_mm = static_cast<double>(step_down) * spacing_along(grid, down);
}

std::int64_t SlicePlane::pixel_of(const Index3& voxel) const {
  const std::int64_t column = voxel[across] / step_across;
  const std::int64_t row = voxel[down] / step_down;
  return (across_reversed ? width - 1 - column : column) +
         width * (down_reversed ? height - 1 - row : row);
}

}  // namespace mcvol
