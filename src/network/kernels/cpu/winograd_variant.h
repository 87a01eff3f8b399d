#pragma once

#include <cstdint>

#include "strip_sizes.h"
#include "variant.h"

// Winograd's minimal filtering F(4, 3): four outputs side by side from six products instead of
// twelve (Winograd, Arithmetic Complexity of Computations, 1980; Lavin and Gray, Fast Algorithms
// for Convolutional Neural Networks, CVPR 2016).

namespace mcvol {

/// Outputs side by side, products they are made from, and weights that each is a sum over.
inline constexpr int kWinogradQuad = 4, kWinogradProducts = 6, kWinogradReach = 3;

/// Quads, outputs or channels that are transformed and transposed together.
inline constexpr int kWinogradBlock = 8;
static_assert(kStripGroup == kWinogradBlock && kStripVoxels % kWinogradBlock == 0);

/// The voxels of a block of quads, of each the first channel of a block; none where there is none.
using QuadVoxels = float* [kWinogradBlock][kWinogradQuad];

/// What is done with a block before the products and after them; a block of channels may hold
/// fewer, `count`.
struct WinogradTransforms {
  /// @param line [voxels, voxel_stride], of which the first quad begins here.
  /// @param target row m of product n, quads side by side, begins at n * product_stride +
  ///     m * row_stride.
  void (*transform_input)(const float* line, std::int64_t voxel_stride, float* target,
                          std::int64_t product_stride, std::int64_t row_stride, std::int64_t count);
  /// @param weights [kWinogradBlock outputs, kWinogradReach, kWinogradBlock channels]
  /// @param target [channels, kWinogradBlock outputs] of product n begins at n * product_stride.
  void (*transform_weights)(const float* weights, float* target, std::int64_t product_stride,
                            std::int64_t count);
  /// @param products row m of product n, of kStripVoxels, is number n * outputs + m.
  /// @param first of the rows' quads.
  /// @param bias [kWinogradBlock]
  void (*transform_output)(const float* products, std::int64_t outputs, std::int64_t first,
                           const float* bias, const QuadVoxels& voxels, std::int64_t count);
};

namespace baseline {
extern const WinogradTransforms kWinogradTransforms;
}
namespace avx2 {
extern const WinogradTransforms kWinogradTransforms;
}

// A block is one of AVX2's vectors: longer ones have nothing to add.
namespace avx512 {
using avx2::kWinogradTransforms;
}

}  // namespace mcvol
