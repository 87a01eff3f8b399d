#include "winograd_convolution.h"

#include <algorithm>
#include <span>
#include <vector>

#include "network/device/block_loop.h"
#include "network/device/tensor_values.h"
#include "network/jit/graph_runner.h"
#include "network/kernels/cpu/strip_kernels.h"
#include "network/kernels/cpu/winograd_kernels.h"
#include <ATen/Parallel.h>
#include <ATen/record_function.h>

namespace mcvol {
namespace {

/// Of the input's combinations, to stay in a cache between planes; more where lines are long.
constexpr std::size_t kWorkingBytes = std::size_t{1} << 20;
/// Lines that are made together at least: those they share with the next are transformed twice.
constexpr std::int64_t kLeastLines = 16;
/// Planes, likewise; fewer where cores would have nothing to do.
constexpr std::int64_t kLeastPlanes = 8, kFewestPlanes = 2;
/// Below, strips would be too empty.
constexpr std::int64_t kLeastQuads = kStripVoxels;
/// Below, combining inputs costs more than it saves: vectors of eight channels that are empty, or
/// combinations of which too few products are made.
constexpr std::int64_t kLeastChannels = 4, kLeastTaps = 9;
/// Above, the input of a strip does not stay in a cache while all outputs are made of it.
constexpr std::int64_t kMostInputs = 1152;

using Triple = std::array<std::int64_t, 3>;

std::int64_t divide_up(std::int64_t size, std::int64_t by) { return (size + by - 1) / by; }

WinogradShape shape_of(const at::Tensor& input, const at::Tensor& weight, const Triple& padding) {
  return {.channels = weight.size(1),
          .outputs = weight.size(0),
          .input = {input.size(2), input.size(3), input.size(4)},
          .kernel = {weight.size(2), weight.size(3), weight.size(4)},
          .padding = padding};
}

at::Tensor transformed(const at::Tensor& weight, const WinogradShape& shape) {
  const at::Tensor laid = weight.permute({0, 2, 3, 4, 1}).contiguous();
  at::Tensor result = at::empty({static_cast<std::int64_t>(winograd_weight_floats(shape))});
  const std::span<float> values(result.data_ptr<float>(), winograd_weight_floats(shape));
  for_each_block(at::kCPU, 0, divide_up(shape.outputs, kStripGroup), [&](std::int64_t group) {
    winograd_weights(laid.const_data_ptr<float>(), shape, group, values);
  });
  return result;
}

std::vector<WinogradPart> parts_of(const WinogradShape& shape, std::int64_t rows) {
  const std::int64_t planes = shape.output_size(0), lines = shape.output_size(1);
  std::int64_t together = lines;
  while (together >= 2 * kLeastLines &&
         winograd_working_floats(shape, together) * sizeof(float) > kWorkingBytes) {
    together = divide_up(together, 2);
  }
  const std::int64_t bands = divide_up(lines, together);
  const std::int64_t threads = at::get_num_threads();
  const std::int64_t at_hand = std::max<std::int64_t>(bands * rows, 1);
  const auto slabs_of = [&](std::int64_t wanted, std::int64_t least_planes) {
    return std::clamp<std::int64_t>(divide_up(wanted, at_hand), 1,
                                    std::max<std::int64_t>(planes / least_planes, 1));
  };
  // Neither changes a bit.
  const std::int64_t slabs =
      std::max(slabs_of(2 * threads, kLeastPlanes), slabs_of(threads, kFewestPlanes));
  const std::int64_t height = divide_up(lines, bands), depth = divide_up(planes, slabs);
  std::vector<WinogradPart> parts;
  for (std::int64_t plane = 0; plane < planes; plane += depth) {
    for (std::int64_t line = 0; line < lines; line += height) {
      parts.push_back(
          {plane, std::min(plane + depth, planes), line, std::min(line + height, lines)});
    }
  }
  return parts;
}

}  // namespace

bool is_for_winograd(const at::Tensor& input, const at::Tensor& weight,
                     const std::optional<at::Tensor>& bias, const Triple& padding,
                     const Triple& stride, const Triple& dilation, std::int64_t groups) {
  constexpr Triple kOnes = {1, 1, 1};
  if (!input.is_cpu() || input.scalar_type() != at::kFloat || groups != 1) return false;
  if (!operands_match(input, weight, bias)) return false;
  if (stride != kOnes || dilation != kOnes || weight.size(4) != 3) return false;
  if (!geometry_fits(input, weight, padding, dilation)) return false;
  const WinogradShape shape = shape_of(input, weight, padding);
  const std::int64_t taps = shape.kernel[0] * shape.kernel[1];
  return shape.channels >= kLeastChannels && taps >= kLeastTaps &&
         taps * shape.channels <= kMostInputs &&
         shape.output_size(1) * shape.quads() >= kLeastQuads;
}

at::Tensor winograd_convolution(const at::Tensor& input, const at::Tensor& weight,
                                const std::optional<at::Tensor>& bias, const Triple& padding) {
  const WinogradShape shape = shape_of(input, weight, padding);
  const at::Tensor voxels = input.permute({0, 2, 3, 4, 1}).contiguous();
  at::Tensor output = at::empty({input.size(0), shape.outputs, shape.output_size(0),
                                 shape.output_size(1), shape.output_size(2)},
                                input.options().memory_format(at::MemoryFormat::ChannelsLast3d));
  RECORD_FUNCTION(kCountedConvolution, std::vector<c10::IValue>({weight, output}));
  const at::Tensor weights = transformed(weight, shape);
  const std::optional<at::Tensor> values = laid_out(bias);
  const std::vector<WinogradPart> parts = parts_of(shape, input.size(0));
  const auto count = static_cast<std::int64_t>(parts.size());
  for_each_block(at::kCPU, 0, input.size(0) * count, [&](std::int64_t block) {
    const std::int64_t row = block / count;
    const WinogradPart& part = parts[static_cast<std::size_t>(block % count)];
    const std::size_t floats = winograd_working_floats(shape, part.end_line - part.first_line);
    at::Tensor working = at::empty({static_cast<std::int64_t>(floats)});
    winograd_part(shape, floats_of(weights), values ? floats_of(*values) : std::span<const float>(),
                  voxels.const_data_ptr<float>() + row * voxels.stride(0), part,
                  output.data_ptr<float>() + row * output.stride(0),
                  {working.data_ptr<float>(), floats});
  });
  return output;
}

}  // namespace mcvol
