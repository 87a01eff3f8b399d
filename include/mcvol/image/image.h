#pragma once

#include "mcvol/image/grid.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mcvol {

/// A 3-D array on a grid. `values[grid.offset(i, j, k)]`: i varies fastest.
template <typename Value>
struct Image {
  Grid grid;
  std::vector<Value> values;

  Image() = default;
  explicit Image(const Grid& on, Value fill = Value{})
      : grid(on), values(static_cast<std::size_t>(on.voxel_count()), fill) {}

  Value& at(std::int64_t i, std::int64_t j, std::int64_t k) {
    return values[static_cast<std::size_t>(grid.offset(i, j, k))];
  }
  const Value& at(std::int64_t i, std::int64_t j, std::int64_t k) const {
    return values[static_cast<std::size_t>(grid.offset(i, j, k))];
  }
};

/// A half-open box of voxels: begin <= index < end on each axis.
struct Box {
  Index3 begin{0, 0, 0};
  Index3 end{0, 0, 0};

  Index3 size() const { return {end[0] - begin[0], end[1] - begin[1], end[2] - begin[2]}; }
  bool empty() const { return begin[0] >= end[0] || begin[1] >= end[1] || begin[2] >= end[2]; }
};

/// Calls visit(index, position) for each non-zero voxel, with its position in their list.
template <typename Visit>
void for_each_voxel_of(const Image<std::uint8_t>& mask, Visit visit) {
  const Index3& size = mask.grid.size;
  std::size_t position = 0, voxel = 0;
  for (std::int64_t k = 0; k < size[2]; ++k) {
    for (std::int64_t j = 0; j < size[1]; ++j) {
      for (std::int64_t i = 0; i < size[0]; ++i, ++voxel) {
        if (mask.values[voxel] != 0) visit(Index3{i, j, k}, position++);
      }
    }
  }
}

/// Smallest box that holds every non-zero voxel; empty (all zero) where there is none.
Box bounding_box(const Image<std::uint8_t>& mask);

/// Whether any non-zero voxel lies on the border of the image.
bool touches_border(const Image<std::uint8_t>& mask);

}  // namespace mcvol
