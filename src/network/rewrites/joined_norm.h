#pragma once

#include <memory>

#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// On a GPU in half precision instance norm, activation and dropout take longer than the
/// convolutions between them, each going over the activations anew. Joins aten::instance_norm with
/// the relu, leaky_relu or prelu and the dropout that follow it, in either order, into
///
///   mcvol::norm(Tensor input, Tensor? weight, Tensor? bias, float epsilon, Tensor? slope,
///               Tensor draws, float rate, int layer, int sharing) -> Tensor
///
/// slope: of the activation below 0, [1] or [channels], none without one; layer -1: no dropout.
/// Dropout of the inverted form only, whose factors are not negative: they pass through these
/// activations. A graph that changes tensors in place stays as it is.
void join_norms(const std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace mcvol
