#pragma once

#include <memory>

#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// Replaces the 1x1x1 convolutions of a pointwise graph by matrix products, for a GPU: on blocks
/// of gathered voxels these run at several times the speed of a convolution. On a CPU oneDNN's
/// convolutions are faster.
void use_matrix_products(const std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace mcvol
