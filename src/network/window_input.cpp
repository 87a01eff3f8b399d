#include "window_input.h"

#include <algorithm>
#include <vector>

namespace mcvol {
namespace {

// Index along one image axis for each voxel of the window; -1 outside the image.
std::vector<std::int64_t> axis_indices(std::int64_t begin, std::int64_t count, std::int64_t size,
                                       Bundle::Window::Padding padding) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(count));
  for (std::int64_t n = 0; n < count; ++n) {
    const std::int64_t index = begin + n;
    const bool inside = index >= 0 && index < size;
    indices[static_cast<std::size_t>(n)] = inside ? index
                                           : padding == Bundle::Window::Padding::kReplicate
                                               ? std::clamp<std::int64_t>(index, 0, size - 1)
                                               : -1;
  }
  return indices;
}

}  // namespace

at::Tensor window_input(const PreparedScan& scan, const WindowPlan& plan, const Window& window,
                        const std::array<int, 3>& axes, Bundle::Window::Padding padding) {
  const auto axis = [&](std::size_t d) { return static_cast<std::size_t>(axes[d]); };
  const std::array<std::int64_t, 3> strides = {1, scan.grid.size[0],
                                               scan.grid.size[0] * scan.grid.size[1]};
  std::array<std::vector<std::int64_t>, 3> indices;
  for (std::size_t d = 0; d < 3; ++d) {
    indices[d] = axis_indices(window.output_begin[axis(d)] - plan.margin[axis(d)],
                              plan.input_size[axis(d)], scan.grid.size[axis(d)], padding);
  }
  at::Tensor input =
      at::zeros({1, static_cast<std::int64_t>(scan.channels.size()), plan.input_size[axis(0)],
                 plan.input_size[axis(1)], plan.input_size[axis(2)]},
                at::kFloat);
  float* target = input.data_ptr<float>();
  for (const Image<float>& channel : scan.channels) {
    const float* source = channel.values.data();
    for (const std::int64_t i0 : indices[0]) {
      for (const std::int64_t i1 : indices[1]) {
        const float* line = source + i0 * strides[axis(0)] + i1 * strides[axis(1)];
        const bool outside = i0 < 0 || i1 < 0;
        for (const std::int64_t i2 : indices[2]) {
          if (!outside && i2 >= 0) *target = line[i2 * strides[axis(2)]];
          ++target;
        }
      }
    }
  }
  return input;
}

}  // namespace mcvol
