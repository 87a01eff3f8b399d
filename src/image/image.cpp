#include "mcvol/image/image.h"

#include <algorithm>

namespace mcvol {

Box bounding_box(const Image<std::uint8_t>& mask) {
  const Index3& size = mask.grid.size;
  Box box{size, {0, 0, 0}};
  std::size_t voxel = 0;
  for (std::int64_t k = 0; k < size[2]; ++k) {
    for (std::int64_t j = 0; j < size[1]; ++j) {
      for (std::int64_t i = 0; i < size[0]; ++i, ++voxel) {
        if (mask.values[voxel] == 0) {
          continue;
        }
        const Index3 index{i, j, k};
        for (int axis = 0; axis < 3; ++axis) {
          box.begin[axis] = std::min(box.begin[axis], index[axis]);
          box.end[axis] = std::max(box.end[axis], index[axis] + 1);
        }
      }
    }
  }
  return box.empty() ? Box{} : box;
}

bool touches_border(const Image<std::uint8_t>& mask) {
  const Box box = bounding_box(mask);
  if (box.empty()) {
    return false;
  }
  for (int axis = 0; axis < 3; ++axis) {
    if (box.begin[axis] == 0 || box.end[axis] == mask.grid.size[axis]) {
      return true;
    }
  }
  return false;
}

}  // namespace mcvol
