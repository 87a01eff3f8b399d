#pragma once

#include <optional>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// Visits every node, those of inner blocks before the node that holds them. The visit may destroy
/// the node it is given.
template <typename Visit>
void for_each_node(torch::jit::Block* block, const Visit& visit) {
  for (auto iterator = block->nodes().begin(); iterator != block->nodes().end();) {
    torch::jit::Node* node = *iterator++;
    for (torch::jit::Block* inner : node->blocks()) for_each_node(inner, visit);
    visit(node);
  }
}

inline bool is_tensor(const torch::jit::Value* value) {
  return value->type()->isSubtypeOf(*c10::TensorType::get());
}

/// Whether a value is known to be None.
bool is_constant_none(const torch::jit::Value* value);

/// None where it is computed, or no tensor.
std::optional<at::Tensor> constant_tensor(const torch::jit::Value* value);

/// Takes everything out of a graph that others may hold, constants above all.
void empty_graph(torch::jit::Graph& graph);

/// Takes out constants that nothing reads: weights that a rewrite has laid out anew.
void erase_unused_constants(torch::jit::Graph& graph);

/// Whether a node writes into one of its arguments: x.add_(y), torch.add(x, y, out=z).
bool writes_into_arguments(const torch::jit::Node* node);

/// Whether an operator writes into a tensor that others may hold.
bool changes_tensors(torch::jit::Graph& graph);

/// The path of module names that leads to a node, as the network's author wrote them:
/// "decoder.drop1"; "forward" where there is none.
std::string where_of(const torch::jit::Node* node);

}  // namespace mcvol
