#include "constant_attributes.h"

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "network/jit/graph_nodes.h"
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

namespace mcvol {
namespace {

using torch::jit::Node;
using torch::jit::Value;

/// The module that a value is, reached from the graph's first input; none where it is not.
std::optional<torch::jit::Module> module_of(const Value* value, const torch::jit::Module& root) {
  std::vector<std::string> path;
  while (value->node()->kind() == c10::prim::GetAttr) {
    path.push_back(value->node()->s(c10::attr::name));
    value = value->node()->input(0);
  }
  if (value != value->owningGraph()->inputs()[0]) return std::nullopt;
  torch::jit::Module module = root;
  for (auto name = path.rbegin(); name != path.rend(); ++name) {
    const c10::IValue attribute = module.attr(*name);
    if (!attribute.isModule()) return std::nullopt;
    module = attribute.toModule();
  }
  return module;
}

bool is_plain(const c10::IValue& value) {
  return value.isBool() || value.isInt() || value.isDouble() || value.isString() || value.isNone();
}

}  // namespace

void write_in_constant_attributes(const torch::jit::Module& module,
                                  std::shared_ptr<torch::jit::Graph> graph) {
  std::set<std::string> set_somewhere;
  for_each_node(graph->block(), [&](Node* node) {
    if (node->kind() == c10::prim::SetAttr) set_somewhere.insert(node->s(c10::attr::name));
  });
  for_each_node(graph->block(), [&](Node* node) {
    if (node->kind() != c10::prim::GetAttr) return;
    const std::string& name = node->s(c10::attr::name);
    if (set_somewhere.contains(name)) return;
    const auto owner = module_of(node->input(0), module);
    if (!owner || !owner->hasattr(name)) return;
    const c10::IValue attribute = owner->attr(name);
    if (!is_plain(attribute)) return;
    const torch::jit::WithInsertPoint at(node);
    Value* constant = graph->insertConstant(attribute);
    constant->setType(node->output()->type());
    node->output()->replaceAllUsesWith(constant);
    node->destroy();
  });
  torch::jit::ConstantPropagation(graph);
  torch::jit::EliminateDeadCode(graph);
}

}  // namespace mcvol
