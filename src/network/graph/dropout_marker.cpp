#include "dropout_marker.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <map>
#include <optional>
#include <unordered_set>

#include "channel_layout.h"
#include "network/dropout/dropout_operator.h"
#include "network/jit/graph_nodes.h"
#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/constants.h>

namespace mcvol {
namespace {

using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

// Of a layer whose rate is another in training, until its fate is known.
constexpr const char* kByMode = "rate by mode";

struct DropoutKind {
  DropoutForm form;
  bool feature;
  bool in_place;
};

std::optional<DropoutKind> dropout_kind(const Node* node) {
  static const std::map<std::string, DropoutKind> kinds = {
      {"aten::dropout", {DropoutForm::kInverted, false, false}},
      {"aten::dropout_", {DropoutForm::kInverted, false, true}},
      {"aten::feature_dropout", {DropoutForm::kInverted, true, false}},
      {"aten::feature_dropout_", {DropoutForm::kInverted, true, true}},
      {"aten::alpha_dropout", {DropoutForm::kAlpha, false, false}},
      {"aten::alpha_dropout_", {DropoutForm::kAlpha, false, true}},
      {"aten::feature_alpha_dropout", {DropoutForm::kAlpha, true, false}},
      {"aten::feature_alpha_dropout_", {DropoutForm::kAlpha, true, true}},
  };
  const auto found = kinds.find(node->kind().toQualString());
  if (found == kinds.end()) return std::nullopt;
  return found->second;
}

bool used_after(const Value* value, const Node* node) {
  const auto& uses = value->uses();
  return std::any_of(uses.begin(), uses.end(), [&](const torch::jit::Use& use) {
    return use.user != node && !use.user->isBefore(node);
  });
}

/// The in-place dropouts whose storage is read later under another name than their result: those
/// readers must see it dropped.
std::unordered_set<const Node*> in_place_with_readers(const std::shared_ptr<Graph>& graph) {
  std::vector<Node*> in_place;
  std::vector<const Value*> tensors(graph->inputs().begin(), graph->inputs().end());
  for_each_node(graph->block(), [&](Node* node) {
    const auto kind = dropout_kind(node);
    if (kind && kind->in_place) in_place.push_back(node);
    for (const Value* output : node->outputs()) {
      if (is_tensor(output)) tensors.push_back(output);
    }
  });
  std::unordered_set<const Node*> found;
  if (in_place.empty()) return found;
  const torch::jit::AliasDb aliases(graph);
  for (const Node* node : in_place) {
    for (const Value* tensor : tensors) {
      if (tensor == node->output() || !is_tensor(tensor)) continue;
      if (used_after(tensor, node) && aliases.mayAlias(tensor, node->input(0))) found.insert(node);
    }
  }
  return found;
}

void put_marker(Graph& graph, Node* node, const DropoutKind& kind, std::int64_t layer,
                bool has_readers) {
  Node* marker = graph.create(c10::Symbol::fromQualString(kDropoutMarker), 1);
  marker->copyMetadata(node);
  marker->insertBefore(node);
  marker->addInput(node->input(0));
  marker->addInput(node->input(1));
  const torch::jit::WithInsertPoint at(marker);
  marker->addInput(graph.insertConstant(layer));
  marker->addInput(graph.insertConstant(static_cast<std::int64_t>(kind.form)));
  marker->addInput(graph.insertConstant(kind.feature));
  marker->output()->setType(node->output()->type());
  Value* result = marker->output();
  if (has_readers) {
    const torch::jit::WithInsertPoint after(node);
    result = graph.insert(c10::aten::copy_, {node->input(0), result});
  }
  node->output()->replaceAllUsesWith(result);
  node->destroy();
}

/// Whether a value is chosen by whether the network is training.
bool depends_on_training(const Value* value, std::unordered_set<const Value*>& seen) {
  if (!seen.insert(value).second) return false;
  const Node* node = value->node();
  if (node->kind() == c10::prim::GetAttr) return node->s(c10::attr::name) == "training";
  return std::any_of(node->inputs().begin(), node->inputs().end(),
                     [&](const Value* input) { return depends_on_training(input, seen); });
}

bool depends_on_training(const Value* value) {
  std::unordered_set<const Value*> seen;
  return depends_on_training(value, seen);
}

bool inside_loop(const Node* node) {
  for (const Block* block = node->owningBlock(); block->owningNode() != nullptr;
       block = block->owningNode()->owningBlock()) {
    if (block->owningNode()->kind() == c10::prim::Loop) return true;
  }
  return false;
}

std::string name_of(const DropoutLayer& layer) { return layer.kind + " '" + layer.where + "'"; }

double rate_of(const Node* marker, const DropoutLayer& layer, const std::string& name) {
  const auto rate = torch::jit::toIValue(marker->input(1));
  if (!rate) {
    throw ModelError(name + ": the rate of " + name_of(layer) +
                     " is computed at run time, expected a constant; export it as one");
  }
  const double value = rate->toDouble();
  if (!(value >= 0.0 && value <= 1.0)) {
    throw ModelError(name + ": the rate of " + name_of(layer) + " is " + std::to_string(value) +
                     ", expected 0 to 1");
  }
  return value;
}

void put_dropout(Graph& graph, Node* marker, int id, DropoutScope scope) {
  const torch::jit::WithInsertPoint at(marker);
  const bool feature = torch::jit::toIValue(marker->input(4))->toBool();
  Value* layer = graph.insertConstant(id);
  Value* sharing = graph.insertConstant(static_cast<std::int64_t>(sharing_under(scope, feature)));
  Node* dropout = graph.create(c10::Symbol::fromQualString(kDropoutOperator), 1);
  dropout->copyMetadata(marker);
  dropout->insertBefore(marker);
  for (Value* input : {marker->input(0), graph.inputs()[1], graph.inputs()[2], marker->input(1),
                       layer, marker->input(3), sharing}) {
    dropout->addInput(input);
  }
  dropout->output()->copyMetadata(marker->output());
  marker->output()->replaceAllUsesWith(dropout->output());
  marker->destroy();
}

}  // namespace

std::vector<DropoutLayer> mark_dropout(const std::shared_ptr<Graph>& graph,
                                       std::vector<std::string>& notes) {
  const auto with_readers = in_place_with_readers(graph);
  std::vector<DropoutLayer> layers;
  bool switched_off = false;
  for_each_node(graph->block(), [&](Node* node) {
    const auto kind = dropout_kind(node);
    if (!kind) return;
    DropoutLayer layer;
    layer.kind = node->kind().toUnqualString();
    layer.where = where_of(node);
    const auto train = torch::jit::toIValue(node->input(2));
    switched_off = switched_off || (train && !train->toBool());
    if (depends_on_training(node->input(1))) layer.fate = kByMode;
    put_marker(*graph, node, *kind, static_cast<std::int64_t>(layers.size()),
               with_readers.contains(node));
    layers.push_back(std::move(layer));
  });
  if (switched_off) {
    // Dropout that is off returns its input itself, so the tracer takes later readers of the input
    // for readers of what is dropped. Nothing in the file tells.
    notes.push_back(
        "Dropout was switched off when the network was exported. If it was traced, tensors that "
        "are "
        "used after a dropout as well as in it are now dropped for both: trace in train mode, or "
        "script.");
  }
  return layers;
}

std::vector<DropoutLayer> replace_markers(Graph& graph, const std::string& name, DropoutScope scope,
                                          const std::vector<DropoutLayer>& marked) {
  std::vector<DropoutLayer> layers;
  std::vector<bool> seen(marked.size(), false);
  int active = 0;
  for_each_node(graph.block(), [&](Node* node) {
    if (node->kind() != c10::Symbol::fromQualString(kDropoutMarker)) return;
    const auto index = static_cast<std::size_t>(torch::jit::toIValue(node->input(2))->toInt());
    seen.at(index) = true;
    DropoutLayer layer = marked.at(index);
    layer.rate = rate_of(node, layer, name);
    if (layer.rate == 0.0) {
      layer.fate =
          layer.fate == kByMode ? "rate 0 in eval mode: does nothing" : "rate 0: does nothing";
      node->output()->replaceAllUsesWith(node->input(0));
      node->destroy();
    } else if (inside_loop(node)) {
      throw ModelError(name + ": " + name_of(layer) +
                       " runs inside a loop whose length is not constant, which mcvol cannot key "
                       "masks for; unroll the loop in the network");
    } else {
      if (scope == DropoutScope::kChannel && !has_channels_first(graph, node->input(0))) {
        throw ModelError(name + ": " + name_of(layer) +
                         " works on a tensor whose dimension 1 is not known to be channels, which "
                         "channel masks need; use --scope native");
      }
      layer.fate = "active";
      layer.id = active++;  // a layer that an unrolled loop repeats draws anew each time
      put_dropout(graph, node, layer.id, scope);
    }
    layers.push_back(std::move(layer));
  });
  for (std::size_t index = 0; index < marked.size(); ++index) {
    if (seen[index]) continue;
    layers.push_back(marked[index]);
    layers.back().fate = "lost: the network's eval mode leaves it out";
  }
  return layers;
}

}  // namespace mcvol
