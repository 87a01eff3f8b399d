#pragma once

#include <memory>

#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// On a CPU what stands between convolutions takes as long as they do, each operator going over the
/// activations anew. Joins norm (instance norm, batch norm with fixed statistics), a relu,
/// leaky_relu or prelu, dropout on either side of it, and additions before and after all of these
/// into one operator (activation_operator.h). A graph that changes tensors in place stays as it is.
void join_activations(const std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace mcvol
