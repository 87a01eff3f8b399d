#include "graph_split.h"

#include <algorithm>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "dropout_operator.h"
#include "pointwise.h"
#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>

namespace mcvol {
namespace {

using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

bool is_dropout(const Node* node) {
  return node->kind() == c10::Symbol::fromQualString(kDropoutOperator);
}

bool is_tensor(const Value* value) { return value->type()->isSubtypeOf(*c10::TensorType::get()); }

/// Everything a node reads: its inputs and what its blocks capture.
void collect_reads(Node* node, std::vector<Value*>& reads) {
  reads.insert(reads.end(), node->inputs().begin(), node->inputs().end());
  for (Block* block : node->blocks()) {
    for (Node* inner : block->nodes()) collect_reads(inner, reads);
    reads.insert(reads.end(), block->outputs().begin(), block->outputs().end());
  }
}

bool holds_dropout(Node* node) {
  if (is_dropout(node)) return true;
  for (Block* block : node->blocks()) {
    for (Node* inner : block->nodes()) {
      if (holds_dropout(inner)) return true;
    }
  }
  return false;
}

struct Taint {
  std::vector<Node*> stochastic;  ///< in order of execution
  std::unordered_set<const Node*> members;
};

Taint taint_of(Graph& graph) {
  Taint taint;
  std::unordered_set<const Value*> values;
  for (Node* node : graph.block()->nodes()) {
    std::vector<Value*> reads;
    collect_reads(node, reads);
    const bool stochastic = holds_dropout(node) ||
                            std::any_of(reads.begin(), reads.end(),
                                        [&](const Value* value) { return values.contains(value); });
    if (!stochastic) continue;
    taint.stochastic.push_back(node);
    taint.members.insert(node);
    for (const Value* output : node->outputs()) values.insert(output);
  }
  return taint;
}

/// The tensors the suffix takes over: what stochastic nodes read, directly or through lists, sizes
/// and booleans that are recomputed.
std::vector<Value*> cut_of(Graph& graph, const Taint& taint) {
  std::vector<Value*> cut;
  std::set<const Value*> seen;
  const auto take = [&](auto&& self, Value* value) -> void {
    Node* producer = value->node();
    if (producer->owningBlock() != graph.block() && producer->kind() != c10::prim::Param) return;
    if (taint.members.contains(producer) || producer->kind() == c10::prim::Constant) return;
    if (value == graph.inputs()[1] || value == graph.inputs()[2]) return;  // draws, positions
    if (producer->kind() == c10::prim::Param && producer->owningBlock() != graph.block()) return;
    if (!seen.insert(value).second) return;
    if (is_tensor(value)) {
      cut.push_back(value);
      return;
    }
    std::vector<Value*> reads;
    collect_reads(producer, reads);
    for (Value* read : reads) self(self, read);
  };
  for (Node* node : taint.stochastic) {
    std::vector<Value*> reads;
    collect_reads(node, reads);
    for (Value* read : reads) take(take, read);
  }
  return cut;
}

bool written_in_place(const std::shared_ptr<Graph>& graph, const std::vector<Value*>& cut) {
  const torch::jit::AliasDb aliases(graph);
  const torch::jit::ValueSet values(cut.begin(), cut.end());
  for (Node* node : graph->block()->nodes()) {
    if (aliases.writesToAlias(node, values)) return true;
  }
  return false;
}

Value* find_value(Block* block, const std::string& name) {
  for (Value* input : block->inputs()) {
    if (input->debugName() == name) return input;
  }
  for (Node* node : block->nodes()) {
    for (Value* output : node->outputs()) {
      if (output->debugName() == name) return output;
    }
  }
  return nullptr;
}

void erase_unused_input(Graph& graph, std::size_t index) {
  if (!graph.inputs()[index]->hasUses()) graph.eraseInput(index);
}

std::shared_ptr<Graph> make_prefix(const std::shared_ptr<Graph>& whole,
                                   const std::vector<std::string>& cut) {
  std::shared_ptr<Graph> prefix = whole->copy();
  std::vector<Value*> outputs;
  for (const std::string& name : cut) outputs.push_back(find_value(prefix->block(), name));
  while (!prefix->outputs().empty()) prefix->eraseOutput(0);
  for (Value* output : outputs) prefix->registerOutput(output);
  torch::jit::EliminateDeadCode(prefix);
  erase_unused_input(*prefix, 2);
  erase_unused_input(*prefix, 1);
  return prefix;
}

std::shared_ptr<Graph> make_suffix(const std::shared_ptr<Graph>& whole,
                                   const std::vector<std::string>& cut) {
  std::shared_ptr<Graph> suffix = whole->copy();
  for (std::size_t n = 0; n < cut.size(); ++n) {
    Value* value = find_value(suffix->block(), cut[n]);
    Value* input = suffix->insertInput(n, "cut" + std::to_string(n));
    input->setType(value->type());
    value->replaceAllUsesWith(input);
  }
  torch::jit::EliminateDeadCode(suffix);
  erase_unused_input(*suffix, cut.size());  // the image, unless the cut is the image itself
  return suffix;
}

}  // namespace

void split_graph(DropoutGraph& network) {
  const std::shared_ptr<Graph>& whole = network.whole;
  const Taint taint = taint_of(*whole);
  if (taint.stochastic.empty()) return;
  for (const DropoutLayer& layer : network.layers) {
    if (layer.fate != "active") continue;
    network.split_at = layer.kind + " '" + layer.where + "'";
    break;
  }
  std::vector<Value*> cut = cut_of(*whole, taint);
  if (written_in_place(whole, cut)) {
    cut = {whole->inputs()[0]};
    network.notes.push_back(
        "An in-place operator writes to what every pass shares; the whole network runs once per "
        "pass.");
  }
  std::vector<std::string> names;
  for (std::size_t n = 0; n < cut.size(); ++n) {
    names.push_back(cut[n]->setDebugName("mcvol_cut" + std::to_string(n))->debugName());
  }
  network.prefix = make_prefix(whole, names);
  network.suffix = make_suffix(whole, names);
  network.pointwise_suffix = is_pointwise(*network.suffix);
}

}  // namespace mcvol
