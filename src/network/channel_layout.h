#pragma once

#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// Whether dimension 1 of a tensor is known to be its channels: it follows from the image or from
/// what only works that way (convolutions, batch, instance and group norm, pooling over space)
/// through operators that leave the order of dimensions alone.
bool has_channels_first(const torch::jit::Graph& graph, const torch::jit::Value* value);

/// Writes 5 in place of the rank of such tensors: checks of it, and branches for images without a
/// batch, then fold away.
void write_in_ranks(torch::jit::Graph& graph);

}  // namespace mcvol
