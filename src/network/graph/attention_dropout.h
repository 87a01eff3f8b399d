#pragma once

#include <memory>

#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// Writes out attention that drops some of its weights inside (scaled_dot_product_attention with a
/// constant dropout_p above 0, as nn.MultiheadAttention and nn.TransformerEncoderLayer call it in
/// training) as products, softmax and a dropout of its own, which is then marked like any other.
/// Attention with a mask, causal, of grouped queries, or of a rate that is computed, stays as it
/// is.
void write_out_attention_dropout(const std::shared_ptr<torch::jit::Graph>& graph);

}  // namespace mcvol
