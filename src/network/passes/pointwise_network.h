#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "network/dropout/dropout_mask.h"
#include "network/kernels/cpu/strip_kernels.h"
#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// A suffix that is a chain of 1x1x1 convolutions with dropout in between, run on a CPU without
/// going through memory: a strip of voxels passes all layers of all passes while it is in the
/// nearest cache. Channels that a mask drops are left out of the products, as inputs and already
/// as outputs of the layer before: at a rate of 0.5 a layer between two dropouts takes a quarter.
class PointwiseNetwork {
 public:
  /// None where the suffix is anything else: it then runs as a graph. Understood are, after each
  /// convolution, an addition of what the prefix gives, batch norm with fixed statistics, relu,
  /// leaky_relu or prelu, and inverted dropout.
  /// @param channels of the prefix's results, as they come into the suffix.
  static std::optional<PointwiseNetwork> from(const torch::jit::Graph& suffix,
                                              std::span<const std::int64_t> channels);

  /// The layers of a pass, with the channels that its masks keep.
  struct MaskedPass {
    MaskDraw draw;
    std::vector<StripConvolution> layers;
  };
  MaskedPass masked(const MaskDraw& draw) const;

  /// Voxels of a tile, of everything that the prefix gives.
  struct Voxels {
    std::vector<std::vector<Strip>> inputs;
    std::span<const std::int64_t> positions;  ///< in the tile
  };
  /// @param cut what the prefix gave, [1, channels, d0, d1, d2] in fp32 or bfloat16.
  static Voxels gathered(const std::vector<at::Tensor>& cut,
                         std::span<const std::int64_t> positions);

  std::int64_t outputs() const { return layers_.back().outputs; }

  /// @param tile_voxels of the tile that positions refer to.
  /// @param logits [passes, outputs, voxels].
  void run(const Voxels& voxels, std::span<const MaskedPass> passes, std::int64_t tile_voxels,
           std::span<float> logits) const;

 private:
  struct Dropout {
    double rate = 0.0;
    int id = 0;
    MaskSharing sharing = MaskSharing::kChannel;
  };
  struct Convolution {
    std::optional<Dropout> dropout;  ///< of the inputs
    std::int64_t inputs = 0, outputs = 0;
    std::vector<float> weights;  ///< [outputs, inputs]
    std::vector<float> bias, slope;
    std::optional<std::size_t> addend;  ///< what of the prefix's results is added to the products
  };
  /// Reads a suffix node by node.
  class Reader;

  static bool drops_channels(const Convolution& layer);
  void run_strip(const Voxels& voxels, std::int64_t strip, const MaskedPass& pass,
                 std::int64_t tile_voxels, std::vector<Strip>& result) const;

  std::vector<Convolution> layers_;
};

}  // namespace mcvol
