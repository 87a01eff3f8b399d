#include "mcvol/network/window_plan.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace mcvol {
namespace {

struct Lattice {
  Index3 begin{0, 0, 0};
  Index3 count{0, 0, 0};
};

Lattice lattice_over(const Image<std::uint8_t>& measured, const Index3& step,
                     Bundle::Window::Anchor anchor) {
  const Box box = bounding_box(measured);
  Lattice lattice;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    // From the image's corner the lattice still starts at the first cell that holds a voxel.
    lattice.begin[axis] = anchor == Bundle::Window::Anchor::kMaskCorner
                              ? box.begin[axis]
                              : box.begin[axis] / step[axis] * step[axis];
    lattice.count[axis] = (box.end[axis] - lattice.begin[axis] + step[axis] - 1) / step[axis];
  }
  return lattice;
}

// Offset in the output tile, whose dimension d holds image axis axes[d].
std::int64_t tile_offset(const Index3& within, const Index3& output,
                         const std::array<int, 3>& axes) {
  std::int64_t offset = 0;
  for (const int axis : axes) {
    const auto a = static_cast<std::size_t>(axis);
    offset = offset * output[a] + within[a];
  }
  return offset;
}

void sort_by_tile_offset(Window& window) {
  std::vector<std::pair<std::int64_t, std::int64_t>> pairs(window.voxels.size());
  for (std::size_t n = 0; n < pairs.size(); ++n) {
    pairs[n] = {window.tile_offsets[n], window.voxels[n]};
  }
  std::sort(pairs.begin(), pairs.end());
  for (std::size_t n = 0; n < pairs.size(); ++n) {
    std::tie(window.tile_offsets[n], window.voxels[n]) = pairs[n];
  }
}

}  // namespace

WindowPlan plan_windows(const Image<std::uint8_t>& measured, const Bundle::Window& window,
                        const std::array<int, 3>& axes) {
  WindowPlan plan;
  for (std::size_t d = 0; d < 3; ++d) {
    const auto axis = static_cast<std::size_t>(axes[d]);
    plan.input_size[axis] = window.input[d];
    plan.output_size[axis] = window.output[d];
    plan.margin[axis] = (window.input[d] - window.output[d]) / 2;
  }
  if (bounding_box(measured).empty()) return plan;

  const Lattice lattice = lattice_over(measured, plan.output_size, window.anchor);
  std::vector<Window> cells(
      static_cast<std::size_t>(lattice.count[0] * lattice.count[1] * lattice.count[2]));
  std::int64_t position = 0;
  const Index3& size = measured.grid.size;
  for (std::int64_t k = 0; k < size[2]; ++k) {
    for (std::int64_t j = 0; j < size[1]; ++j) {
      for (std::int64_t i = 0; i < size[0]; ++i) {
        if (measured.at(i, j, k) == 0) continue;
        const Index3 index = {i, j, k};
        Index3 cell, within;
        for (std::size_t axis = 0; axis < 3; ++axis) {
          const std::int64_t from_anchor = index[axis] - lattice.begin[axis];
          cell[axis] = from_anchor / plan.output_size[axis];
          within[axis] = from_anchor % plan.output_size[axis];
        }
        Window& owner = cells[static_cast<std::size_t>(
            cell[0] + lattice.count[0] * (cell[1] + lattice.count[1] * cell[2]))];
        if (owner.voxels.empty()) {
          for (std::size_t axis = 0; axis < 3; ++axis) {
            owner.output_begin[axis] = lattice.begin[axis] + cell[axis] * plan.output_size[axis];
          }
        }
        owner.voxels.push_back(position++);
        owner.tile_offsets.push_back(tile_offset(within, plan.output_size, axes));
      }
    }
  }
  for (Window& cell : cells) {
    if (cell.voxels.empty()) continue;
    sort_by_tile_offset(cell);
    plan.windows.push_back(std::move(cell));
  }
  return plan;
}

}  // namespace mcvol
