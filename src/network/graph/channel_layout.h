#pragma once

#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// Whether dimension 1 of a tensor, if it has rank 5, is known to be its channels: it follows from
/// the image or from what only works that way (3-D convolutions, pooling and upsampling, batch,
/// instance and group norm) through operators known to leave the order of dimensions alone.
bool has_channels_first(const torch::jit::Graph& graph, const torch::jit::Value* value);

/// Writes 5 in place of the rank of tensors that follow from the image through operators known to
/// keep it: checks of it, and branches for images without a batch, then fold away.
/// @return how many ranks were written in.
int write_in_ranks(torch::jit::Graph& graph);

}  // namespace mcvol
