#pragma once

#include <memory>

#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// Replaces 3-D convolutions by oneDNN's, whose results do not depend on batch size or threads and
/// which has no slow path at batch 1. For graphs that run on a CPU in fp32.
void use_onednn_convolutions(const std::shared_ptr<torch::jit::Graph>& graph);

/// Replaces the 1x1x1 convolutions of a pointwise graph by matrix products: on blocks of gathered
/// voxels these run at several times the speed of a convolution.
void use_matrix_products(const std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace mcvol
