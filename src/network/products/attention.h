#pragma once

#include <memory>

#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// Replaces `scaled_dot_product_attention` without dropout by products and a softmax of blocks of
/// queries, a thread a block: a sample has the same bits in any batch and for any threads.
void use_blocked_attention(const std::shared_ptr<torch::jit::Graph>& graph);

/// Replaces softmax over the last dimension by PyTorch's of blocks of rows, likewise.
void use_blocked_softmax(const std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace mcvol
