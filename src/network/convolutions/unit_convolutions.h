#pragma once

#include <memory>

#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// Replaces the 1x1x1 convolutions of a pointwise graph by matrix products: on blocks of gathered
/// voxels these run at several times the speed of a convolution. On a CPU a dropout of channels
/// before one becomes part of its weights.
void use_matrix_products(const std::shared_ptr<torch::jit::Graph>& graph, bool on_gpu);

}  // namespace mcvol
