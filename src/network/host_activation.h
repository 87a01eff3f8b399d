#pragma once

#include <memory>

#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// On a CPU what stands between convolutions takes as long as they do, each operator going over the
/// activations anew. Joins norm (instance norm, batch norm with fixed statistics), a relu,
/// leaky_relu or prelu, dropout on either side of it, and additions before and after all of these
/// into one operator that works channels last and part by part in cache:
///
///   mcvol::activation(Tensor input, Tensor? before, Tensor? scale, Tensor? shift, float epsilon,
///                     Tensor? slope, Tensor? after, Tensor draws, Tensor positions, float rate,
///                     int layer, int sharing, bool drops_first) -> Tensor
///
/// scale and shift: fp32 [channels], of a batch norm or, with epsilon >= 0, of an instance norm;
/// epsilon < 0: no statistics of its own. slope: fp32 [1] or [channels]. layer -1: no dropout; of
/// the inverted form only. The same steps as the operators it replaces, in fp32 also where
/// activations are bfloat16; each row has the same bits in any batch and for any threads.
/// A graph that changes tensors in place stays as it is.
void join_activations(const std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace mcvol
