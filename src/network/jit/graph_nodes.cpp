#include "graph_nodes.h"

#include <torch/csrc/jit/ir/constants.h>

namespace mcvol {

std::string where_of(const torch::jit::Node* node) {
  std::string where;
  if (const auto stack = node->callstack()) {
    for (const auto& entry : (*stack)->vec()) {
      const auto& instance = std::get<torch::jit::kModuleInstanceInfo>(entry);
      if (!instance || instance->instance_name().empty()) continue;
      const std::string name = instance->instance_name();
      if (name == "SELF" || name == "INSTANCE_NAME_UNKNOWN" || name == "TOP(forward)") continue;
      where += (where.empty() ? "" : ".") + name;
    }
  }
  if (where.empty()) where = node->scopeName();
  return where.empty() ? "forward" : where;
}

bool is_constant_none(const torch::jit::Value* value) {
  const auto constant = torch::jit::toIValue(value);
  return constant && constant->isNone();
}

std::optional<at::Tensor> constant_tensor(const torch::jit::Value* value) {
  const auto constant = torch::jit::toIValue(value);
  if (!constant || !constant->isTensor()) return std::nullopt;
  return constant->toTensor();
}

void empty_graph(torch::jit::Graph& graph) {
  while (!graph.outputs().empty()) graph.eraseOutput(0);
  auto backwards = graph.nodes().reverse();
  for (auto iterator = backwards.begin(); iterator != backwards.end();) {
    torch::jit::Node* node = *iterator++;
    node->destroy();
  }
}

void erase_unused_constants(torch::jit::Graph& graph) {
  for_each_node(graph.block(), [](torch::jit::Node* node) {
    if (node->kind() == c10::prim::Constant && !node->output()->hasUses()) node->destroy();
  });
}

bool writes_into_arguments(const torch::jit::Node* node) {
  const c10::FunctionSchema* schema = node->maybeSchema();
  return schema != nullptr && schema->is_mutable();
}

bool changes_tensors(torch::jit::Graph& graph) {
  bool changes = false;
  for_each_node(graph.block(), [&](torch::jit::Node* node) {
    const c10::FunctionSchema* schema = node->maybeSchema();
    changes = changes || (schema != nullptr && schema->is_mutable() && !node->inputs().empty() &&
                          is_tensor(node->input(0)));
  });
  return changes;
}

}  // namespace mcvol
