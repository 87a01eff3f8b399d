#include "narrow_convolution.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "network/device/block_loop.h"
#include "network/device/tensor_values.h"
#include "network/jit/graph_runner.h"
#include "network/kernels/cpu/strip_kernels.h"
#include <ATen/record_function.h>

namespace mcvol {
namespace {

constexpr std::int64_t kMostOutputs = 4;

using Triple = PaddedConvolution::Triple;

/// A batch as [rows, planes, lines, channels, voxels], zeros around: what an output voxel needs
/// lies on few pages of memory.
class PlanarBatch {
 public:
  PlanarBatch(const at::Tensor& input, const Triple& front, const Triple& back) {
    const std::int64_t rows = input.size(0);
    channels_ = input.size(1);
    for (std::size_t d = 0; d < 3; ++d) {
      sizes_[d] = input.size(static_cast<std::int64_t>(d) + 2) + front[d] + back[d];
    }
    // The last line is read a strip too far.
    const std::int64_t values = rows * sizes_[0] * plane_stride();
    data_ = at::empty({values + kStripVoxels}, at::kFloat);
    std::fill_n(data_.data_ptr<float>() + values, kStripVoxels, 0.0F);
    for_each_block(at::kCPU, 0, rows * sizes_[0], [&](std::int64_t plane) {
      const std::int64_t from = plane % sizes_[0] - front[0];
      float* const target = data_.data_ptr<float>() + plane * plane_stride();
      if (from < 0 || from >= input.size(2)) {
        std::fill_n(target, plane_stride(), 0.0F);
      } else {
        fill_plane(input[plane / sizes_[0]].select(1, from), front, target);
      }
    });
  }

  std::int64_t channel_stride() const { return sizes_[2]; }
  std::int64_t line_stride() const { return channels_ * sizes_[2]; }
  std::int64_t plane_stride() const { return sizes_[1] * line_stride(); }
  const float* row(std::int64_t number) const {
    return data_.const_data_ptr<float>() + number * sizes_[0] * plane_stride();
  }

 private:
  /// @param from [channels, lines, voxels]
  void fill_plane(const at::Tensor& from, const Triple& front, float* target) const {
    const std::int64_t first = std::clamp<std::int64_t>(front[2], 0, sizes_[2]);
    const std::int64_t last = std::clamp(from.size(2) + front[2], first, sizes_[2]);
    const float* const source = from.const_data_ptr<float>() - front[2] * from.stride(2);
    for (std::int64_t line = 0; line < sizes_[1]; ++line) {
      float* to = target + line * line_stride();
      const std::int64_t from_line = line - front[1];
      if (from_line < 0 || from_line >= from.size(1)) {
        std::fill_n(to, line_stride(), 0.0F);
        continue;
      }
      for (std::int64_t n = 0; n < channels_; ++n) {
        const float* const values = source + n * from.stride(0) + from_line * from.stride(1);
        std::fill_n(to, first, 0.0F);
        for (std::int64_t x = first; x < last; ++x) to[x] = values[x * from.stride(2)];
        std::fill(to + last, to + sizes_[2], 0.0F);
        to += channel_stride();
      }
    }
  }

  at::Tensor data_;
  std::int64_t channels_;
  Triple sizes_;
};

/// One of the convolutions on a batch.
class LineConvolution {
 public:
  /// @param skip zeros of the batch before its own.
  LineConvolution(const PlanarBatch& batch, const PaddedConvolution& of, const Triple& skip,
                  const std::optional<at::Tensor>& bias, const Triple& dilation)
      : batch_(batch),
        output_(of.output),
        skip_(skip),
        offsets_(offsets(batch, of.weight, dilation)),
        weights_(weights(of.weight.contiguous())),
        bias_(bias ? floats_of(*bias) : std::span<const float>()) {}

  std::int64_t planes() const { return output_.size(2); }
  std::int64_t lines() const { return output_.size(3); }

  void run(std::int64_t row, std::int64_t plane, std::int64_t line) const {
    if (plane >= planes() || line >= lines()) return;
    const float* const from = batch_.row(row) + (plane + skip_[0]) * batch_.plane_stride() +
                              (line + skip_[1]) * batch_.line_stride() + skip_[2];
    float* const to = output_.data_ptr<float>() + row * output_.stride(0) +
                      plane * output_.stride(2) + line * output_.stride(3);
    switch (output_.size(1)) {
      case 1:
        return run_line<1>(from, to);
      case 2:
        return run_line<2>(from, to);
      case 3:
        return run_line<3>(from, to);
      default:
        return run_line<kMostOutputs>(from, to);
    }
  }

 private:
  static std::vector<std::int64_t> offsets(const PlanarBatch& batch, const at::Tensor& weight,
                                           const Triple& dilation) {
    std::vector<std::int64_t> found;
    for (std::int64_t n = 0; n < weight.size(1); ++n) {
      for (std::int64_t a = 0; a < weight.size(2); ++a) {
        for (std::int64_t b = 0; b < weight.size(3); ++b) {
          for (std::int64_t c = 0; c < weight.size(4); ++c) {
            found.push_back(n * batch.channel_stride() + a * dilation[0] * batch.plane_stride() +
                            b * dilation[1] * batch.line_stride() + c * dilation[2]);
          }
        }
      }
    }
    return found;
  }

  static std::vector<float> weights(const at::Tensor& of) {
    const std::span<const float> values = floats_of(of);
    const auto outputs = static_cast<std::size_t>(of.size(0));
    const std::size_t each = values.size() / outputs;
    return packed_weights(outputs, each,
                          [&](std::size_t m, std::size_t n) { return values[m * each + n]; });
  }

  template <std::size_t Outputs>
  void run_line(const float* from, float* to) const {
    std::array<Strip, Outputs> results;
    const std::int64_t step = output_.stride(4);
    for (std::int64_t first = 0; first < output_.size(4); first += kStripVoxels) {
      const std::int64_t count = std::min(kStripVoxels, output_.size(4) - first);
      strip_sums(weights_, bias_, offsets_, from + first, count, results);
      for (std::int64_t v = 0; v < count; ++v) {
        float* const voxel = to + (first + v) * step;
        for (std::size_t m = 0; m < Outputs; ++m) {
          voxel[m] = results[m][static_cast<std::size_t>(v)];
        }
      }
    }
  }

  const PlanarBatch& batch_;
  at::Tensor output_;
  Triple skip_;
  std::vector<std::int64_t> offsets_;
  std::vector<float> weights_;  ///< packed_weights()
  std::span<const float> bias_;
};

}  // namespace

bool is_narrow(const at::Tensor& input, const at::Tensor& weight,
               const std::optional<at::Tensor>& bias, std::int64_t groups) {
  return input.is_cpu() && input.scalar_type() == at::kFloat && groups == 1 &&
         operands_match(input, weight, bias) && weight.size(0) <= kMostOutputs &&
         weight[0][0].numel() > 1;
}

void run_narrow(const at::Tensor& input, std::span<const PaddedConvolution> convolutions,
                const std::optional<at::Tensor>& bias, const Triple& dilation) {
  Triple front = convolutions.front().front, back = convolutions.front().back;
  for (const PaddedConvolution& of : convolutions) {
    for (std::size_t d = 0; d < 3; ++d) {
      front[d] = std::max(front[d], of.front[d]);
      back[d] = std::max(back[d], of.back[d]);
    }
  }
  const PlanarBatch batch(input, front, back);
  const std::optional<at::Tensor> values = laid_out(bias);
  std::vector<LineConvolution> all;
  std::int64_t planes = 0, lines = 0;
  for (const PaddedConvolution& of : convolutions) {
    RECORD_FUNCTION(kCountedConvolution, std::vector<c10::IValue>({of.weight, of.output}));
    Triple skip;
    for (std::size_t d = 0; d < 3; ++d) skip[d] = front[d] - of.front[d];
    const LineConvolution& added = all.emplace_back(batch, of, skip, values, dilation);
    planes = std::max(planes, added.planes());
    lines = std::max(lines, added.lines());
  }
  // Line by line all of them: input and output of a line stay in the nearest caches.
  for_each_block(at::kCPU, 0, input.size(0) * planes, [&](std::int64_t block) {
    for (std::int64_t line = 0; line < lines; ++line) {
      for (const LineConvolution& of : all) of.run(block / planes, block % planes, line);
    }
  });
}

at::Tensor narrow_convolution(const at::Tensor& input, const at::Tensor& weight,
                              const std::optional<at::Tensor>& bias, const Triple& padding,
                              const Triple& dilation) {
  std::vector<std::int64_t> sizes = {input.size(0), weight.size(0)};
  for (std::size_t d = 0; d < 3; ++d) {
    const auto axis = static_cast<std::int64_t>(d) + 2;
    sizes.push_back(input.size(axis) + 2 * padding[d] - dilation[d] * (weight.size(axis) - 1));
  }
  at::Tensor output =
      at::empty(sizes, input.options().memory_format(at::MemoryFormat::ChannelsLast3d));
  const PaddedConvolution whole{weight, padding, padding, output};
  run_narrow(input, {&whole, 1}, bias, dilation);
  return output;
}

}  // namespace mcvol
