#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "strip_sizes.h"

// Kernels of the CPU for convolutions on a few voxels at a time, planar: [channels, strip]. Every
// voxel's sums are made by themselves and in the order of the weights, so that neither its
// neighbours nor threads change a bit.

namespace mcvol {

/// Channels of a strip.
using Strip = std::array<float, kStripVoxels>;

/// A 1x1x1 convolution with the channels that its masks keep, laid out for the kernel.
class StripConvolution {
 public:
  /// @param weights [outputs of the layer, inputs of the layer].
  /// @param inputs, outputs the channels kept, ascending; the rest of either is not there.
  /// @param factor what a kept input is multiplied with.
  /// @param bias [outputs of the layer] or none.
  /// @param slope below 0: [outputs of the layer], one for all, or none.
  StripConvolution(std::span<const float> weights, std::span<const std::int32_t> inputs,
                   std::span<const std::int32_t> outputs, std::int64_t all_inputs, float factor,
                   std::span<const float> bias, std::span<const float> slope);

  std::int64_t outputs() const { return static_cast<std::int64_t>(bias_.size()); }

  /// result[m] = slope(bias + addend[outputs[m]] + sum of weights * input[n] over inputs n).
  /// @param input a row for each kept channel, or of all of them where `all_rows`.
  /// @param addend a row for each output of the layer, or none.
  /// @param result a row for each kept output.
  void run(const Strip* input, bool all_rows, const Strip* addend, Strip* result) const;

 private:
  std::vector<std::int64_t> kept_inputs_, consecutive_;  ///< where their rows begin, in floats
  std::vector<std::int32_t> kept_outputs_;
  std::vector<float> weights_;  ///< packed_weights()
  std::vector<float> bias_, slope_;
};

/// @param weight of output m and input n.
/// @return [groups of kStripGroup outputs, inputs, kStripGroup], 0 where there is no output.
template <typename Weight>
std::vector<float> packed_weights(std::size_t outputs, std::size_t inputs, const Weight& weight) {
  std::vector<float> weights;
  weights.reserve((outputs + kStripGroup - 1) / kStripGroup * inputs * kStripGroup);
  for (std::size_t begin = 0; begin < outputs; begin += kStripGroup) {
    for (std::size_t n = 0; n < inputs; ++n) {
      for (std::size_t m = begin; m < begin + kStripGroup; ++m) {
        weights.push_back(m < outputs ? weight(m, n) : 0.0F);
      }
    }
  }
  return weights;
}

/// result[m][v] = bias + sum of weights * input[offset + v]: a convolution of stride 1 on voxels
/// that lie in memory one after the other. Reads up to a strip, however few the voxels are.
/// @param weights packed_weights().
/// @param bias [outputs] or none.
/// @param offsets where each of an output's weights finds its input, counted from that of the
///     output's first voxel, in floats.
/// @param voxels kStripVoxels at most.
/// @param result a row for each output.
void strip_sums(std::span<const float> weights, std::span<const float> bias,
                std::span<const std::int64_t> offsets, const float* input, std::int64_t voxels,
                std::span<Strip> result);

/// Lays voxels out as strips: [strips, channels, kStripVoxels]; the rest of the last strip is 0.
/// @param values channel c of voxel n at positions[n] * voxel_stride + c * channel_stride; of
///     bfloat16 (the upper half of a float) or float.
template <typename T>
void gather_strips(const T* values, std::span<const std::int64_t> positions,
                   std::int64_t voxel_stride, std::int64_t channel_stride, std::int64_t channels,
                   std::vector<Strip>& strips);

}  // namespace mcvol
