#include "window_input.h"

#include <algorithm>
#include <iterator>
#include <vector>

#include <ATen/Parallel.h>

namespace mcvol {
namespace {

constexpr std::int64_t kTile = 16;

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
  const auto channels = static_cast<std::int64_t>(scan.channels.size());
  const std::int64_t count0 = std::ssize(indices[0]), count1 = std::ssize(indices[1]);
  const std::int64_t line_values = std::ssize(indices[2]) * channels;
  at::Tensor input =
      at::empty({1, channels, count0, count1, std::ssize(indices[2])},
                at::TensorOptions(at::kFloat).memory_format(at::MemoryFormat::ChannelsLast3d));
  // Tiles of the axis along which the image's memory runs and of the one along which the window's
  // does: both are then read and written in whole cache lines.
  const std::size_t along = axes[0] == 0 ? 0 : axes[1] == 0 ? 1 : 2;
  const std::size_t other = along == 0 ? 1 : 0;
  const std::size_t across = 3 - along - other;
  const std::int64_t tiles = (std::ssize(indices[along]) + kTile - 1) / kTile;
  float* const values = input.data_ptr<float>();
  std::array<std::int64_t, 3> steps = {count1 * line_values, line_values, channels};
  const auto fill_line = [&](const float* source, std::int64_t position_other,
                             std::int64_t position_across, std::int64_t first, float* target) {
    const bool outside = position_other < 0 || position_across < 0;
    const float* line = outside ? nullptr
                                : source + position_other * strides[axis(other)] +
                                      position_across * strides[axis(across)];
    const std::int64_t last = std::min(first + kTile, std::ssize(indices[along]));
    for (std::int64_t n = first; n < last; ++n) {
      const std::int64_t position = indices[along][static_cast<std::size_t>(n)];
      *target = outside || position < 0 ? 0.0F : line[position];
      target += steps[along];
    }
  };
  const auto fill_tile = [&](std::int64_t n_other, std::int64_t first_along,
                             std::int64_t first_across) {
    const std::int64_t position_other = indices[other][static_cast<std::size_t>(n_other)];
    const std::int64_t last = std::min(first_across + kTile, std::ssize(indices[across]));
    for (std::int64_t channel = 0; channel < channels; ++channel) {
      const float* source = scan.channels[static_cast<std::size_t>(channel)].values.data();
      for (std::int64_t n = first_across; n < last; ++n) {
        fill_line(source, position_other, indices[across][static_cast<std::size_t>(n)], first_along,
                  values + n_other * steps[other] + first_along * steps[along] + n * steps[across] +
                      channel);
      }
    }
  };
  at::parallel_for(0, std::ssize(indices[other]) * tiles, 1,
                   [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t n = begin; n < end; ++n) {
                       for (std::int64_t across_at = 0; across_at < std::ssize(indices[across]);
                            across_at += kTile) {
                         fill_tile(n / tiles, n % tiles * kTile, across_at);
                       }
                     }
                   });
  return input;
}

}  // namespace mcvol
