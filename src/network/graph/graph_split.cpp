#include "graph_split.h"

#include <algorithm>
#include <set>
#include <stdexcept>
#include <string>
#include <unordered_set>
#include <vector>

#include "network/dropout/dropout_operator.h"
#include "network/jit/graph_nodes.h"
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

Taint taint_from(Graph& graph, const std::unordered_set<const Node*>& also) {
  Taint taint;
  std::unordered_set<const Value*> values;
  for (Node* node : graph.block()->nodes()) {
    std::vector<Value*> reads;
    collect_reads(node, reads);
    const bool stochastic = also.contains(node) || holds_dropout(node) ||
                            std::any_of(reads.begin(), reads.end(),
                                        [&](const Value* value) { return values.contains(value); });
    if (!stochastic) continue;
    taint.stochastic.push_back(node);
    taint.members.insert(node);
    for (const Value* output : node->outputs()) values.insert(output);
  }
  return taint;
}

bool is_container(const Value* value) {
  const c10::TypeKind kind = value->type()->kind();
  return kind == c10::TypeKind::ListType || kind == c10::TypeKind::DictType;
}

/// A list or dictionary that a stochastic operator puts something into is stochastic from where it
/// is made: whoever reads it may find a draw in it.
Taint taint_of(const std::shared_ptr<Graph>& graph) {
  std::vector<std::pair<const Value*, const Node*>> containers;
  for (Node* node : graph->block()->nodes()) {
    for (const Value* output : node->outputs()) {
      if (is_container(output)) containers.emplace_back(output, node);
    }
  }
  std::unordered_set<const Node*> also;
  Taint taint = taint_from(*graph, also);
  if (containers.empty()) return taint;
  const torch::jit::AliasDb aliases(graph);
  for (bool changed = true; changed; taint = taint_from(*graph, also)) {
    changed = false;
    for (Node* node : taint.stochastic) {
      for (const auto& [container, maker] : containers) {
        if (taint.members.contains(maker) || also.contains(maker)) continue;
        if (!aliases.writesToAlias(node, torch::jit::ValueSet{container})) continue;
        changed = also.insert(maker).second || changed;
      }
    }
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
    if (producer->owningBlock() != graph.block()) return;  // made inside the node itself
    if (taint.members.contains(producer) || producer->kind() == c10::prim::Constant) return;
    // Stands where scripted control flow leaves a branch early; made anew in the suffix.
    if (producer->kind() == c10::prim::Uninitialized) return;
    if (value == graph.inputs()[1] || value == graph.inputs()[2]) return;  // draws, positions
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

/// The nodes of a copy that stand where `taint`'s members, or the others, stand in the original.
std::vector<Node*> counterparts(Graph& copy, Graph& original, const Taint& taint, bool stochastic) {
  std::vector<Node*> nodes;
  auto node = copy.nodes().begin();
  for (const Node* of_original : original.nodes()) {
    if (taint.members.contains(of_original) == stochastic) nodes.push_back(*node);
    ++node;
  }
  return nodes;
}

bool is_used(Node* node) {
  return std::any_of(node->outputs().begin(), node->outputs().end(),
                     [](const Value* output) { return output->hasUses(); });
}

// Whether it changes a list or another object, which the suffix may have to do over again. Tensors
// are never recomputed there, so changes of tensors do not count.
bool changes_an_object(Node* node) {
  const c10::FunctionSchema* schema = node->maybeSchema();
  return schema != nullptr && schema->is_mutable() && !node->inputs().empty() &&
         !is_tensor(node->input(0));
}

std::shared_ptr<Graph> make_prefix(const std::shared_ptr<Graph>& whole, const Taint& taint,
                                   const std::vector<std::string>& cut) {
  std::shared_ptr<Graph> prefix = whole->copy();
  const std::vector<Node*> stochastic = counterparts(*prefix, *whole, taint, true);
  std::vector<Value*> outputs;
  for (const std::string& name : cut) outputs.push_back(find_value(prefix->block(), name));
  while (!prefix->outputs().empty()) prefix->eraseOutput(0);
  for (Value* output : outputs) prefix->registerOutput(output);
  // By hand: checks that raise have side effects, and dead code elimination would keep them with
  // everything they read.
  std::for_each(stochastic.rbegin(), stochastic.rend(), [](Node* node) { node->destroy(); });
  torch::jit::EliminateDeadCode(prefix);
  erase_unused_input(*prefix, 2);
  erase_unused_input(*prefix, 1);
  return prefix;
}

std::shared_ptr<Graph> make_suffix(const std::shared_ptr<Graph>& whole, const Taint& taint,
                                   const std::vector<std::string>& cut) {
  std::shared_ptr<Graph> suffix = whole->copy();
  const std::vector<Node*> deterministic = counterparts(*suffix, *whole, taint, false);
  for (std::size_t n = 0; n < cut.size(); ++n) {
    Value* value = find_value(suffix->block(), cut[n]);
    Value* input = suffix->insertInput(n, "cut" + std::to_string(n));
    input->setType(value->type());
    value->replaceAllUsesWith(input);
  }
  // The prefix has done them, checks that raise included.
  for (auto node = deterministic.rbegin(); node != deterministic.rend(); ++node) {
    if (!is_used(*node) && !changes_an_object(*node)) (*node)->destroy();
  }
  torch::jit::EliminateDeadCode(suffix);
  erase_unused_input(*suffix, cut.size());  // the image, unless the cut is the image itself
  return suffix;
}

/// No split: every pass runs the whole network on the image.
void run_whole_network_per_pass(DropoutGraph& network) {
  network.prefix = std::make_shared<Graph>();
  Value* image = network.prefix->addInput("image");
  network.prefix->registerOutput(image);
  network.suffix = network.whole->copy();
  network.notes.push_back(
      "An in-place operator writes to what every pass shares; the whole network runs once per "
      "pass.");
}

// A network that writes to its input gets a copy of its own: the passes share the image.
void protect_image(const std::shared_ptr<Graph>& graph) {
  Value* image = graph->inputs()[0];
  if (!written_in_place(graph, {image})) return;
  const torch::jit::WithInsertPoint at(*graph->nodes().begin());
  Value* copy = graph->insert(c10::aten::clone, {image});
  image->replaceAllUsesAfterNodeWith(copy->node(), copy);
}

void cut(DropoutGraph& network) {
  const std::shared_ptr<Graph>& whole = network.whole;
  protect_image(whole);
  const Taint taint = taint_of(whole);
  if (taint.stochastic.empty()) {
    network.prefix = whole->copy();
    erase_unused_input(*network.prefix, 2);
    erase_unused_input(*network.prefix, 1);
    return;
  }
  for (const DropoutLayer& layer : network.layers) {
    if (layer.fate != "active") continue;
    network.split_at = layer.kind + " '" + layer.where + "'";
    break;
  }
  const std::vector<Value*> cut = cut_of(*whole, taint);
  if (written_in_place(whole, cut)) return run_whole_network_per_pass(network);
  std::vector<std::string> names;
  for (std::size_t n = 0; n < cut.size(); ++n) {
    names.push_back(cut[n]->setDebugName("mcvol_cut" + std::to_string(n))->debugName());
  }
  network.prefix = make_prefix(whole, taint, names);
  network.suffix = make_suffix(whole, taint, names);
  if (network.prefix->inputs().size() != 1 || network.suffix->inputs().size() != names.size() + 2) {
    throw std::logic_error("the network could not be cut at its first dropout");
  }
  network.pointwise_suffix = is_pointwise(*network.suffix);
}

std::int64_t operator_count(const Graph& graph) {
  return std::count_if(graph.nodes().begin(), graph.nodes().end(),
                       [](const Node* node) { return node->kind() != c10::prim::Constant; });
}

}  // namespace

void split_graph(DropoutGraph& network) {
  cut(network);
  network.prefix_operators = operator_count(*network.prefix);
  if (network.suffix) network.suffix_operators = operator_count(*network.suffix);
}

}  // namespace mcvol
