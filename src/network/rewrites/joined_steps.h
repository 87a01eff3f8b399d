#pragma once

#include <optional>

#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/ir.h>

// Operators that follow a norm or a convolution and are joined with it (joined_norm.h,
// joined_activation.h).

namespace mcvol {

/// The node that uses a node's only result, where there is but one, in the same block.
torch::jit::Node* only_user(const torch::jit::Node* node);

/// Which leaky ReLUs are taken.
enum class LeakySlopes {
  kAny,
  kNotNegative,  ///< what the GPU's kernels were held against
};
/// The slope below 0, [1] or [channels], of an activation that is linear on either side; none of
/// any other node.
std::optional<at::Tensor> constant_slope(const torch::jit::Node* node, LeakySlopes taken);

/// Whether the node is our dropout in the form that PyTorch's takes in training.
bool is_inverted_dropout(const torch::jit::Node* node);

}  // namespace mcvol
