#include "window_plan.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

namespace mcvol {
namespace {

using Starts = std::vector<std::int64_t>;

Starts abutting(std::int64_t begin, std::int64_t end, std::int64_t output,
                Bundle::Window::Anchor anchor) {
  // From the image's corner the lattice still starts at the first cell that holds a voxel.
  if (anchor == Bundle::Window::Anchor::kImageCorner) begin = begin / output * output;
  Starts starts;
  for (; begin < end; begin += output) starts.push_back(begin);
  return starts;
}

Starts overlapping(std::int64_t begin, std::int64_t end, std::int64_t output, std::int64_t step) {
  const std::int64_t size = end - begin;
  if (size <= output) return {begin - (output - size) / 2};
  Starts starts;
  for (std::int64_t start = begin; start + output < end; start += step) starts.push_back(start);
  starts.push_back(end - output);
  return starts;
}

/// As nnU-Net's compute_steps_for_sliding_window, halves rounded to even as NumPy does.
Starts spread_evenly(std::int64_t begin, std::int64_t end, std::int64_t output, double overlap) {
  const std::int64_t beyond = end - begin - output;
  if (beyond <= 0) return {begin - (-beyond) / 2};
  // 1 - 0.8 is 0.2 again, the share that nnU-Net has in its place.
  const double share = std::round((1.0 - overlap) * 1e12) / 1e12;
  const double most_apart = static_cast<double>(output) * share;
  const auto steps = static_cast<std::int64_t>(std::ceil(static_cast<double>(beyond) / most_apart));
  const double apart = static_cast<double>(beyond) / static_cast<double>(steps);
  Starts starts;
  for (std::int64_t n = 0; n <= steps; ++n) {
    starts.push_back(begin + std::llrint(apart * static_cast<double>(n)));
  }
  return starts;
}

/// First output voxels along network dimension d, which runs along an image axis of `size` voxels,
/// of which those from `begin` to `end` hold all that is measured.
Starts starts_along(std::size_t d, std::int64_t begin, std::int64_t end, std::int64_t size,
                    const Bundle::Window& window) {
  if (window.blend == Bundle::Window::Blend::kNone) {
    return abutting(begin, end, window.output[d], window.anchor);
  }
  if (window.anchor == Bundle::Window::Anchor::kImageCorner) {
    begin = 0;
    end = size;
  }
  if (window.layout == Bundle::Window::Layout::kEven) {
    return spread_evenly(begin, end, window.output[d], window.overlap);
  }
  return overlapping(begin, end, window.output[d], window.step()[d]);
}

}  // namespace

WindowPlan::WindowPlan(const Image<std::uint8_t>& measured, const Bundle::Window& window,
                       const std::array<int, 3>& axes)
    : box_(bounding_box(measured)) {
  std::array<Starts, 3> starts;
  for (std::size_t d = 0; d < 3; ++d) {
    const auto axis = static_cast<std::size_t>(axes[d]);
    axes_[d] = axis;
    input_size[axis] = window.input[d];
    output_size[axis] = window.output[d];
    margin[axis] = (window.input[d] - window.output[d]) / 2;
    if (box_.empty()) continue;
    starts[axis] =
        starts_along(d, box_.begin[axis], box_.end[axis], measured.grid.size[axis], window);
  }
  if (box_.empty()) return;

  number_voxels(measured);
  for (const std::int64_t z : starts[2]) {
    for (const std::int64_t y : starts[1]) {
      for (const std::int64_t x : starts[0]) {
        if (count_in({{x, y, z}}) > 0) windows.push_back({{x, y, z}});
      }
    }
  }
}

void WindowPlan::number_voxels(const Image<std::uint8_t>& measured) {
  const Index3 size = box_.size();
  Index3 strides{};
  strides[axes_[2]] = 1;
  strides[axes_[1]] = size[axes_[2]];
  strides[axes_[0]] = size[axes_[2]] * size[axes_[1]];
  positions_.assign(static_cast<std::size_t>(size[0] * size[1] * size[2]), -1);
  // Numbers run along the image's lines, memory along the network's: in blocks of a line, and for
  // one block all lines that lie side by side in memory.
  const std::vector<std::int64_t> first = first_numbers(measured);
  constexpr std::int64_t kBlock = 16;
  const std::size_t inner = axes_[2] == 1 ? 1 : 2, outer = 3 - inner;
  std::vector<std::int64_t> next(static_cast<std::size_t>(size[inner]));
  for (std::int64_t n = 0; n < size[outer]; ++n) {
    const auto line_of = [&](std::int64_t m) {
      return inner == 1 ? std::array{m, n} : std::array{n, m};  // j, k
    };
    for (std::int64_t m = 0; m < size[inner]; ++m) {
      const auto [j, k] = line_of(m);
      next[static_cast<std::size_t>(m)] = first[static_cast<std::size_t>(k * size[1] + j)];
    }
    for (std::int64_t begin = 0; begin < size[0]; begin += kBlock) {
      const std::int64_t end = std::min(begin + kBlock, size[0]);
      for (std::int64_t m = 0; m < size[inner]; ++m) {
        const auto [j, k] = line_of(m);
        const std::uint8_t* source =
            &measured.at(box_.begin[0], box_.begin[1] + j, box_.begin[2] + k);
        std::int32_t* target = positions_.data() + j * strides[1] + k * strides[2];
        std::int64_t& number = next[static_cast<std::size_t>(m)];
        for (std::int64_t i = begin; i < end; ++i) {
          if (source[i] != 0) target[i * strides[0]] = static_cast<std::int32_t>(number++);
        }
      }
    }
  }
}

/// Of each of the box's lines along x, [z, y], the number of its first voxel.
std::vector<std::int64_t> WindowPlan::first_numbers(const Image<std::uint8_t>& measured) {
  const Index3 size = box_.size();
  std::vector<std::int64_t> first;
  for (std::int64_t k = 0; k < size[2]; ++k) {
    for (std::int64_t j = 0; j < size[1]; ++j) {
      first.push_back(measured_voxels_);
      const std::uint8_t* line = &measured.at(box_.begin[0], box_.begin[1] + j, box_.begin[2] + k);
      measured_voxels_ += size[0] - std::count(line, line + size[0], std::uint8_t{0});
    }
  }
  if (measured_voxels_ > std::numeric_limits<std::int32_t>::max()) {
    throw InputError("more than 2^31 - 1 voxels to measure; use a coarser grid");
  }
  return first;
}

template <typename Visit>
void WindowPlan::visit_lines(const Window& window, const Visit& visit) const {
  // The window's output inside the box, per network dimension; `first` in voxels of the output.
  std::array<std::int64_t, 3> first, count, in_box, box_size, tile_size;
  for (std::size_t d = 0; d < 3; ++d) {
    const std::size_t axis = axes_[d];
    const std::int64_t begin = std::max(box_.begin[axis], window.output_begin[axis]);
    const std::int64_t end =
        std::min(box_.end[axis], window.output_begin[axis] + output_size[axis]);
    if (begin >= end) return;
    first[d] = begin - window.output_begin[axis];
    count[d] = end - begin;
    in_box[d] = begin - box_.begin[axis];
    box_size[d] = box_.end[axis] - box_.begin[axis];
    tile_size[d] = output_size[axis];
  }
  // Measured voxels are numbered along image axis 0. Where that is not the tile's last dimension,
  // squares of voxels: of either memory they take lines of the cache, and no more of them than the
  // cache holds of rows that are a power of two apart.
  constexpr std::int64_t kSquare = 8;
  const std::size_t numbered = axes_[0] == 0 ? 0 : 1, other = 1 - numbered;
  const bool aligned = axes_[2] == 0;
  const std::int64_t step = aligned ? count[numbered] : kSquare;
  const std::int64_t part = aligned ? count[2] : kSquare;
  std::array<std::int64_t, 3> n{};
  for (n[other] = 0; n[other] < count[other]; ++n[other]) {
    for (std::int64_t begin = 0; begin < count[numbered]; begin += step) {
      const std::int64_t end = std::min(begin + step, count[numbered]);
      for (n[2] = 0; n[2] < count[2]; n[2] += part) {
        for (n[numbered] = begin; n[numbered] < end; ++n[numbered]) {
          const std::int64_t line = (in_box[0] + n[0]) * box_size[1] + in_box[1] + n[1];
          const std::int64_t tile_line = (first[0] + n[0]) * tile_size[1] + first[1] + n[1];
          visit(std::span(positions_.data() + line * box_size[2] + in_box[2] + n[2],
                          static_cast<std::size_t>(std::min(part, count[2] - n[2]))),
                tile_line * tile_size[2] + first[2] + n[2]);
        }
      }
    }
  }
}

std::int64_t WindowPlan::count_in(const Window& window) const {
  std::int64_t count = 0;
  visit_lines(window, [&](std::span<const std::int32_t> line, std::int64_t) {
    count += std::count_if(line.begin(), line.end(), [](std::int32_t n) { return n >= 0; });
  });
  return count;
}

WindowVoxels WindowPlan::voxels_of(const Window& window) const {
  const auto count = static_cast<std::size_t>(count_in(window));
  WindowVoxels found{std::vector<std::int64_t>(count), std::vector<std::int64_t>(count)};
  std::size_t next = 0;
  visit_lines(window, [&](std::span<const std::int32_t> line, std::int64_t offset) {
    for (const std::int32_t position : line) {
      if (position >= 0) {
        found.voxels[next] = position;
        found.tile_offsets[next++] = offset;
      }
      ++offset;
    }
  });
  return found;
}

}  // namespace mcvol
