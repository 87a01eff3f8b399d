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
  // A few voxels of the axis along which the image's memory runs and all of the one along which the
  // window's does: the image is read in whole cache lines, the window written in a few streams.
  const std::size_t along = axes[0] == 0 ? 0 : axes[1] == 0 ? 1 : 2;
  const std::size_t other = along == 0 ? 1 : 0;
  const std::size_t across = 3 - along - other;
  const std::int64_t tiles = (std::ssize(indices[along]) + kTile - 1) / kTile;
  float* const values = input.data_ptr<float>();
  std::vector<const float*> channel_values;
  for (const auto& channel : scan.channels) channel_values.push_back(channel.values.data());
  const float* const* const sources = channel_values.data();
  const std::array<std::int64_t, 3> steps = {count1 * line_values, line_values, channels};
  const auto fill_line = [&](std::int64_t position_other, std::int64_t position_across,
                             std::int64_t first, float* target) {
    const bool outside = position_other < 0 || position_across < 0;
    const std::int64_t line =
        outside ? 0
                : position_other * strides[axis(other)] + position_across * strides[axis(across)];
    const std::int64_t last = std::min(first + kTile, std::ssize(indices[along]));
    for (std::int64_t n = first; n < last; ++n) {
      const std::int64_t position = indices[along][static_cast<std::size_t>(n)];
      if (outside || position < 0) {
        std::fill_n(target, channels, 0.0F);
      } else {
        for (std::int64_t c = 0; c < channels; ++c) target[c] = sources[c][line + position];
      }
      target += steps[along];
    }
  };
  at::parallel_for(
      0, std::ssize(indices[other]) * tiles, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t tile = begin; tile < end; ++tile) {
          const std::int64_t n_other = tile / tiles, first = tile % tiles * kTile;
          const std::int64_t position_other = indices[other][static_cast<std::size_t>(n_other)];
          float* target = values + n_other * steps[other] + first * steps[along];
          for (const std::int64_t position_across : indices[across]) {
            fill_line(position_other, position_across, first, target);
            target += steps[across];
          }
        }
      });
  return input;
}

}  // namespace mcvol
