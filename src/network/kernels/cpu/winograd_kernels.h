#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

// Convolutions of a CPU by Winograd's minimal filtering along the last axis. Along that axis alone:
// rounding grows with every axis it is used on.

namespace mcvol {

/// A convolution of stride and dilation 1 whose kernel is three wide along the last axis.
struct WinogradShape {
  using Triple = std::array<std::int64_t, 3>;

  std::int64_t channels, outputs;
  Triple input;    ///< voxels
  Triple kernel;   ///< {k0, k1, 3}
  Triple padding;  ///< zeros on either side

  std::int64_t output_size(std::size_t axis) const {
    return input[axis] + 2 * padding[axis] - kernel[axis] + 1;
  }
  /// Fours of outputs in a line.
  std::int64_t quads() const { return (output_size(2) + 3) / 4; }
};

/// Floats of winograd_weights().
std::size_t winograd_weight_floats(const WinogradShape& shape);

/// The weights of kStripGroup outputs as their six combinations.
/// @param weights [outputs, k0, k1, 3, channels]
/// @param group of outputs.
/// @param target of all groups: for each product packed_weights() of
///     [outputs, k0 * k1 * channels].
void winograd_weights(const float* weights, const WinogradShape& shape, std::int64_t group,
                      std::span<float> target);

/// Output voxels that are made together: all planes begin <= p < end, of these lines.
struct WinogradPart {
  std::int64_t first_plane, end_plane;
  std::int64_t first_line, end_line;
};

/// Floats of working memory that winograd_part() needs for so many lines.
std::size_t winograd_working_floats(const WinogradShape& shape, std::int64_t lines);

/// Some output voxels of one row of a batch. Their bits depend neither on which others are made
/// with them nor on threads.
/// @param weights of winograd_weights(), all groups.
/// @param bias [outputs] or none.
/// @param input [d0, d1, d2, channels]
/// @param output [o0, o1, o2, outputs], of which the part is written.
/// @param working not initialised.
void winograd_part(const WinogradShape& shape, std::span<const float> weights,
                   std::span<const float> bias, const float* input, const WinogradPart& part,
                   float* output, std::span<float> working);

}  // namespace mcvol
