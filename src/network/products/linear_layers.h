#pragma once

#include <memory>

#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// Replaces linear layers by matrix products of fixed blocks of rows, one thread a block: MKL cuts
/// a large product by the number of threads, and every cut rounds differently.
void use_blocked_linear_layers(const std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace mcvol
