#include "winograd_kernels.h"

#include <algorithm>
#include <vector>

#include "processor.h"
#include "strip_kernels.h"
#include "winograd_variant.h"

namespace mcvol {
namespace {

constexpr std::int64_t kBlock = kWinogradBlock, kProducts = kWinogradProducts;
constexpr std::int64_t kQuad = kWinogradQuad, kReach = kWinogradReach;

std::int64_t blocks_of(std::int64_t count) { return (count + kBlock - 1) / kBlock; }

/// The part of an output that run() makes, on memory of the caller.
class PartConvolution {
 public:
  PartConvolution(const WinogradShape& shape, const WinogradPart& part)
      : shape_(shape),
        part_(part),
        quads_(shape.quads()),
        lines_(part.end_line - part.first_line + shape.kernel[1] - 1) {
    // Of an odd number of cache lines: rows of the same voxels fall into all sets of a cache. What
    // the last strip and the last block of quads take too much fits behind the last line.
    constexpr std::int64_t kCacheLine = 16;
    const std::int64_t floats = lines_ * quads_ + kStripVoxels + kBlock;
    row_stride_ = ((floats + kCacheLine - 1) / kCacheLine | 1) * kCacheLine;
    product_stride_ = shape.channels * row_stride_;
    plane_stride_ = kProducts * product_stride_;
    voxel_stride_ = blocks_of(shape.channels) * kBlock;
    line_voxels_ = blocks_of(quads_) * kBlock * kQuad + kReach - 1;
  }

  std::size_t working_floats() const {
    return static_cast<std::size_t>(shape_.kernel[0] * plane_stride_ +
                                    line_voxels_ * voxel_stride_ +
                                    kProducts * shape_.outputs * kStripVoxels);
  }

  void run(std::span<const float> weights, std::span<const float> bias, const float* input,
           float* output, float* working) const {
    float* const planes = working;
    float* const line = planes + shape_.kernel[0] * plane_stride_;
    auto* const products = reinterpret_cast<Strip*>(line + line_voxels_ * voxel_stride_);
    std::fill_n(line, line_voxels_ * voxel_stride_, 0.0F);
    std::int64_t next = part_.first_plane;
    for (std::int64_t plane = part_.first_plane; plane < part_.end_plane; ++plane) {
      for (; next < plane + shape_.kernel[0]; ++next) {
        transform_plane(input, next, line, planes + next % shape_.kernel[0] * plane_stride_);
      }
      make_plane(weights, bias, planes, plane, products, output);
    }
  }

 private:
  /// @param plane of the padded input.
  /// @param line working memory; what is not of the input is 0 in it.
  /// @param target [products, channels, row_stride]: lines of quads.
  void transform_plane(const float* input, std::int64_t plane, float* line, float* target) const {
    const std::int64_t from_plane = plane - shape_.padding[0];
    if (from_plane < 0 || from_plane >= shape_.input[0]) {
      std::fill_n(target, plane_stride_, 0.0F);
      return;
    }
    for (std::int64_t y = 0; y < lines_; ++y) {
      const std::int64_t from_line = part_.first_line + y - shape_.padding[1];
      if (from_line < 0 || from_line >= shape_.input[1]) {
        for_each_row(target, [&](float* row) { std::fill_n(row + y * quads_, quads_, 0.0F); });
        continue;
      }
      copy_line(
          input + (from_plane * shape_.input[1] + from_line) * shape_.input[2] * shape_.channels,
          line);
      for (std::int64_t channel = 0; channel < shape_.channels; channel += kBlock) {
        for (std::int64_t quad = 0; quad < quads_; quad += kBlock) {
          transforms_.transform_input(line + quad * kQuad * voxel_stride_ + channel, voxel_stride_,
                                      target + channel * row_stride_ + y * quads_ + quad,
                                      product_stride_, row_stride_,
                                      std::min(kBlock, shape_.channels - channel));
        }
      }
    }
    for_each_row(target,
                 [&](float* row) { std::fill(row + lines_ * quads_, row + row_stride_, 0.0F); });
  }

  template <typename Task>
  void for_each_row(float* target, const Task& task) const {
    for (std::int64_t n = 0; n < kProducts * shape_.channels; ++n) task(target + n * row_stride_);
  }

  /// Channels to whole blocks; what is in those that are none goes nowhere.
  void copy_line(const float* from, float* line) const {
    const std::int64_t count = std::min(shape_.input[2], line_voxels_ - shape_.padding[2]);
    float* to = line + shape_.padding[2] * voxel_stride_;
    if (voxel_stride_ == shape_.channels) {
      std::copy_n(from, count * voxel_stride_, to);
      return;
    }
    // By whole blocks, of which the last of a voxel holds the begin of the next.
    const std::int64_t overlapping = count - voxel_stride_ / shape_.channels - 1;
    std::int64_t x = 0;
    for (; x < overlapping; ++x) {
      for (std::int64_t n = 0; n < voxel_stride_; n += kBlock)
        std::copy_n(from + n, kBlock, to + n);
      from += shape_.channels;
      to += voxel_stride_;
    }
    for (; x < count; ++x) {
      std::copy_n(from, shape_.channels, to);
      from += shape_.channels;
      to += voxel_stride_;
    }
  }

  void make_plane(std::span<const float> weights, std::span<const float> bias, const float* planes,
                  std::int64_t plane, Strip* products, float* output) const {
    const std::vector<std::int64_t> offsets = input_offsets(plane);
    const std::int64_t count = (part_.end_line - part_.first_line) * quads_;
    const auto outputs = static_cast<std::size_t>(shape_.outputs);
    const std::size_t weights_each = weights.size() / kProducts;
    float* const target = output + (plane * shape_.output_size(1) + part_.first_line) *
                                       shape_.output_size(2) * shape_.outputs;
    for (std::int64_t first = 0; first < count; first += kStripVoxels) {
      const std::int64_t in_strip = std::min(kStripVoxels, count - first);
      for (std::size_t n = 0; n < kProducts; ++n) {
        strip_sums(weights.subspan(n * weights_each, weights_each), {}, offsets,
                   planes + static_cast<std::int64_t>(n) * product_stride_ + first, in_strip,
                   {products + n * outputs, outputs});
      }
      for (std::int64_t quad = 0; quad < in_strip; quad += kBlock) {
        finish_quads(products, quad, first + quad, std::min(kBlock, in_strip - quad), bias, target);
      }
    }
  }

  /// Where the weights of an output find the input of its first quad.
  std::vector<std::int64_t> input_offsets(std::int64_t plane) const {
    std::vector<std::int64_t> offsets;
    for (std::int64_t a = 0; a < shape_.kernel[0]; ++a) {
      const std::int64_t of_plane = (plane + a) % shape_.kernel[0] * plane_stride_;
      for (std::int64_t b = 0; b < shape_.kernel[1]; ++b) {
        for (std::int64_t channel = 0; channel < shape_.channels; ++channel) {
          offsets.push_back(of_plane + channel * row_stride_ + b * quads_);
        }
      }
    }
    return offsets;
  }

  /// @param in_strip, number of the first quad: in the strip, in the part's plane.
  /// @param target the first voxel of the part's plane.
  void finish_quads(const Strip* products, std::int64_t in_strip, std::int64_t number,
                    std::int64_t count, std::span<const float> bias, float* target) const {
    const std::int64_t width = shape_.output_size(2);
    QuadVoxels voxels = {};
    for (std::int64_t quad = 0; quad < count; ++quad) {
      const std::int64_t line = (number + quad) / quads_, x = (number + quad) % quads_ * kQuad;
      for (std::int64_t n = 0; n < std::min(kQuad, width - x); ++n) {
        voxels[quad][n] = target + (line * width + x + n) * shape_.outputs;
      }
    }
    for (std::int64_t channel = 0; channel < shape_.outputs; channel += kBlock) {
      const std::int64_t channels = std::min(kBlock, shape_.outputs - channel);
      std::array<float, kBlock> of_block{};
      if (!bias.empty()) std::copy_n(bias.begin() + channel, channels, of_block.begin());
      transforms_.transform_output(products[channel].data(), shape_.outputs, in_strip,
                                   of_block.data(), voxels, channels);
      for (auto& quad : voxels) {
        for (float*& voxel : quad) {
          if (voxel != nullptr) voxel += kBlock;
        }
      }
    }
  }

  const WinogradTransforms& transforms_ = MCVOL_KERNELS_IN_USE(kWinogradTransforms);
  WinogradShape shape_;
  WinogradPart part_;
  std::int64_t quads_;  ///< in a line
  std::int64_t lines_;  ///< of the padded input
  std::int64_t row_stride_, product_stride_, plane_stride_;
  std::int64_t voxel_stride_, line_voxels_;  ///< of the working line
};

std::int64_t taps_of(const WinogradShape& shape) { return shape.kernel[0] * shape.kernel[1]; }

std::int64_t product_floats(const WinogradShape& shape) {
  return blocks_of(shape.outputs) * kBlock * taps_of(shape) * shape.channels;
}

}  // namespace

std::size_t winograd_weight_floats(const WinogradShape& shape) {
  return static_cast<std::size_t>(kProducts * product_floats(shape));
}

void winograd_weights(const float* weights, const WinogradShape& shape, std::int64_t group,
                      std::span<float> target) {
  const WinogradTransforms& transforms = MCVOL_KERNELS_IN_USE(kWinogradTransforms);
  const std::int64_t taps = taps_of(shape), channels = shape.channels;
  const std::int64_t outputs = std::min(kBlock, shape.outputs - group * kBlock);
  const float* const of_group = weights + group * kBlock * taps * kReach * channels;
  float* to = target.data() + group * kBlock * taps * channels;
  for (std::int64_t tap = 0; tap < taps; ++tap) {
    for (std::int64_t channel = 0; channel < channels; channel += kBlock) {
      const std::int64_t count = std::min(kBlock, channels - channel);
      std::array<float, kBlock * kReach * kBlock> block{};
      for (std::int64_t output = 0; output < outputs; ++output) {
        for (std::int64_t n = 0; n < kReach; ++n) {
          std::copy_n(of_group + ((output * taps + tap) * kReach + n) * channels + channel, count,
                      block.data() + (output * kReach + n) * kBlock);
        }
      }
      transforms.transform_weights(block.data(), to, product_floats(shape), count);
      to += count * kBlock;
    }
  }
}

std::size_t winograd_working_floats(const WinogradShape& shape, std::int64_t lines) {
  return PartConvolution(shape, {0, 0, 0, lines}).working_floats();
}

void winograd_part(const WinogradShape& shape, std::span<const float> weights,
                   std::span<const float> bias, const float* input, const WinogradPart& part,
                   float* output, std::span<float> working) {
  PartConvolution(shape, part).run(weights, bias, input, output, working.data());
}

}  // namespace mcvol
