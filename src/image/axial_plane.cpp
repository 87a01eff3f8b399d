#include "mcvol/image/axial_plane.h"

#include <algorithm>

namespace mcvol {

AxialPlane::AxialPlane(const Grid& grid) {
  const std::string letters = orientation_of(grid);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const char letter = letters[axis];
    if (letter == 'L' || letter == 'R') {
      across = axis;
      across_reversed = letter == 'R';
    } else if (letter == 'P' || letter == 'A') {
      down = axis;
      down_reversed = letter == 'A';
    } else {
      through = axis;
    }
  }
  const std::int64_t longest = std::max(grid.size[across], grid.size[down]);
  step = std::max<std::int64_t>(1, (longest + kMostPixels - 1) / kMostPixels);
  width = (grid.size[across] + step - 1) / step;
  height = (grid.size[down] + step - 1) / step;
  aspect = grid.spacing_mm[static_cast<Eigen::Index>(down)] /
           grid.spacing_mm[static_cast<Eigen::Index>(across)];
}

std::int64_t AxialPlane::pixel_of(const Index3& voxel) const {
  const std::int64_t column = voxel[across] / step;
  const std::int64_t row = voxel[down] / step;
  return (across_reversed ? width - 1 - column : column) +
         width * (down_reversed ? height - 1 - row : row);
}

}  // namespace mcvol
