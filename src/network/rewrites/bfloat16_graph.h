#pragma once

#include <memory>
#include <vector>

#include <ATen/core/ScalarType.h>
#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// Makes the convolutions of a graph that use_invariant_operators() has been over run in bfloat16
/// on a CPU, and in their wake what only moves values or works in fp32 inside (mcvol::activation).
/// All else, norms on their own and exponentials among them, gets and gives fp32, and a bias stays
/// in it. A graph that changes tensors in place gets fp32 back from each convolution.
/// @param inputs types of the graph's inputs; those left out are fp32 or no tensors.
void use_bfloat16_convolutions(const std::shared_ptr<torch::jit::Graph>& graph,
                               const std::vector<at::ScalarType>& inputs);

}  // namespace mcvol
