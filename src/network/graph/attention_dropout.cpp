#include "attention_dropout.h"

#include "network/jit/graph_nodes.h"
#include <torch/csrc/jit/ir/constants.h>

namespace mcvol {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

bool is_false(const Value* value) {
  const auto constant = torch::jit::toIValue(value);
  return constant && constant->isBool() && !constant->toBool();
}

/// Inputs: query, key, value, attn_mask, dropout_p, is_causal, scale, enable_gqa.
bool drops_plainly(const Node* node) {
  if (node->kind() != c10::Symbol::fromQualString("aten::scaled_dot_product_attention")) {
    return false;
  }
  const auto rate = torch::jit::toIValue(node->input(4));
  return rate && rate->toDouble() > 0.0 && is_constant_none(node->input(3)) &&
         is_false(node->input(5)) && is_false(node->input(7));
}

/// softmax(query key^T * scale) value, the softmax dropped (Vaswani et al., "Attention is all you
/// need", NeurIPS 2017, equation 1; the dropout is PyTorch's).
Value* written_out(Graph& graph, const Node* node) {
  Value* query = node->input(0);
  Value* keys = graph.insert(c10::aten::transpose, {node->input(1), -2, -1});
  Value* products = graph.insert(c10::aten::matmul, {query, keys});
  if (is_constant_none(node->input(6))) {
    Value* root = graph.insert(c10::aten::sqrt, {graph.insert(c10::aten::size, {query, -1})});
    products = graph.insert(c10::aten::div, {products, root});
  } else {
    products = graph.insert(c10::aten::mul, {products, node->input(6)});
  }
  Value* weights = graph.insert(c10::aten::softmax, {products, -1, c10::IValue()});
  Value* dropped = graph.insert(c10::aten::dropout, {weights, node->input(4), true});
  dropped->node()->copyMetadata(const_cast<Node*>(node));
  return graph.insert(c10::aten::matmul, {dropped, node->input(2)});
}

}  // namespace

void write_out_attention_dropout(const std::shared_ptr<Graph>& graph) {
  for_each_node(graph->block(), [&](Node* node) {
    if (!drops_plainly(node)) return;
    const torch::jit::WithInsertPoint at(node);
    node->output()->replaceAllUsesWith(written_out(*graph, node));
    node->destroy();
  });
}

}  // namespace mcvol
