#pragma once

#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// Writes numbers in place of the words "same" and "valid" of 3-D convolutions whose weight is
/// known, as PyTorch counts them: what works on convolutions reads numbers. Where "same" asks for
/// one voxel more behind than in front, the input is padded by it first. What PyTorch refuses,
/// "same" with a stride, stays as it is.
void write_in_padding(torch::jit::Graph& graph);

}  // namespace mcvol
