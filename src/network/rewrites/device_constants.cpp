#include "device_constants.h"

#include "mcvol/error/error.h"

#include <unordered_set>

#include "network/jit/graph_nodes.h"
#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/constants.h>

namespace mcvol {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

at::Tensor constant_on(const at::Tensor& value, c10::Device device, c10::ScalarType precision) {
  if (value.scalar_type() != c10::kFloat || precision == c10::kFloat) return value.to(device);
  const at::Tensor moved = value.to(device, precision);
  if (!value.isfinite().equal(moved.isfinite().cpu())) {
    throw ModelError("the network has weights that are too large for fp16; use --precision bf16");
  }
  return moved.dim() == 5 ? moved.contiguous(at::MemoryFormat::ChannelsLast3d) : moved;
}

/// Both norms take input, weight, bias, mean, variance, whether they make statistics of their own.
bool has_running_statistics(const Node* node) {
  const bool instance = node->kind() == c10::Symbol::fromQualString("aten::instance_norm");
  if (node->kind() != c10::aten::batch_norm && !instance) return false;
  return !instance || constant_tensor(node->input(3)).has_value();
}

/// Gives every such norm constants of its own: others may read the same ones.
std::unordered_set<const Value*> parameters_of_norms(Graph& graph) {
  std::unordered_set<const Value*> parameters;
  for_each_node(graph.block(), [&](Node* node) {
    if (!has_running_statistics(node)) return;
    for (const std::size_t input : {1, 2, 3, 4}) {
      if (!torch::jit::toIValue(node->input(input))) return;  // computed, in the precision
    }
    const torch::jit::WithInsertPoint at(node);
    for (const std::size_t input : {1, 2, 3, 4}) {
      const auto tensor = constant_tensor(node->input(input));
      if (!tensor) continue;
      Value* own = graph.insertConstant(*tensor);
      node->replaceInput(input, own);
      parameters.insert(own);
    }
  });
  return parameters;
}

}  // namespace

void move_constants(Graph& graph, c10::Device device, c10::ScalarType precision) {
  const std::unordered_set<const Value*> in_fp32 = parameters_of_norms(graph);
  for_each_node(graph.block(), [&](Node* node) {
    if (node->kind() != c10::prim::Constant) return;
    if (node->output()->uses().empty()) return;
    const auto value = constant_tensor(node->output());
    if (!value || value->dim() == 0) return;
    const bool stays = in_fp32.contains(node->output());
    node->t_(c10::attr::value, constant_on(*value, device, stays ? c10::kFloat : precision));
  });
}

std::int64_t constant_bytes(Graph& graph, c10::ScalarType precision) {
  std::int64_t bytes = 0;
  for_each_node(graph.block(), [&](Node* node) {
    if (node->kind() != c10::prim::Constant) return;
    const auto value = constant_tensor(node->output());
    if (!value || value->dim() == 0) return;
    const auto type = value->scalar_type() == c10::kFloat ? precision : value->scalar_type();
    bytes += value->numel() * static_cast<std::int64_t>(c10::elementSize(type));
  });
  return bytes;
}

}  // namespace mcvol
