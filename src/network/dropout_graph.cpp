#include "dropout_graph.h"

#include "mcvol/error/error.h"

#include <map>
#include <optional>
#include <unordered_set>

#include "dropout_operator.h"
#include "graph_runner.h"
#include "graph_split.h"
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/alias_analysis.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/freeze_module.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/passes/loop_unrolling.h>
#include <torch/csrc/jit/passes/lower_tuples.h>
#include <torch/csrc/jit/passes/peephole.h>
#include <torch/csrc/jit/passes/remove_mutation.h>
#include <torch/csrc/jit/passes/shape_analysis.h>
#include <torch/csrc/jit/serialization/import.h>

namespace mcvol {
namespace {

using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

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

// The path of module names that leads to a node, as its author wrote them: "decoder.drop1".
std::string where_of(const Node* node) {
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

template <typename Visit>
void for_each_node(Block* block, const Visit& visit) {
  for (auto iterator = block->nodes().begin(); iterator != block->nodes().end();) {
    Node* node = *iterator++;  // the visit may destroy it
    for (Block* inner : node->blocks()) for_each_node(inner, visit);
    visit(node);
  }
}

bool used_after(const Value* value, const Node* node) {
  for (const auto& use : value->uses()) {
    if (use.user != node && !use.user->isBefore(node)) return true;
  }
  return false;
}

/// Finds every dropout and puts a marker in its place.
class DropoutMarker {
 public:
  explicit DropoutMarker(std::string network) : network_(std::move(network)) {}

  std::vector<DropoutLayer> mark(Graph& graph) {
    for_each_node(graph.block(), [&](Node* node) {
      if (const auto kind = dropout_kind(node)) replace(graph, node, *kind);
    });
    return std::move(layers_);
  }

 private:
  void replace(Graph& graph, Node* node, const DropoutKind& kind) {
    DropoutLayer layer;
    layer.id = static_cast<int>(layers_.size());
    layer.kind = node->kind().toUnqualString();
    layer.where = where_of(node);
    Node* marker = graph.create(c10::Symbol::fromQualString(kDropoutMarker), 1);
    marker->copyMetadata(node);
    marker->insertBefore(node);
    marker->addInput(node->input(0));
    marker->addInput(node->input(1));
    const torch::jit::WithInsertPoint at(marker);
    marker->addInput(graph.insertConstant(layer.id));
    marker->addInput(graph.insertConstant(static_cast<std::int64_t>(kind.form)));
    marker->addInput(graph.insertConstant(kind.feature));
    marker->output()->setType(node->output()->type());
    Value* result = marker->output();
    // In place, whoever still reads the input must see it dropped.
    if (kind.in_place && used_after(node->input(0), node)) {
      const torch::jit::WithInsertPoint after(node);
      result = graph.insert(c10::aten::copy_, {node->input(0), result});
    }
    node->output()->replaceAllUsesWith(result);
    node->destroy();
    layers_.push_back(std::move(layer));
  }

  std::string network_;
  std::vector<DropoutLayer> layers_;
};

bool inside_loop(const Node* node) {
  for (const Block* block = node->owningBlock(); block->owningNode() != nullptr;
       block = block->owningNode()->owningBlock()) {
    if (block->owningNode()->kind() == c10::prim::Loop) return true;
  }
  return false;
}

std::string name_of(const DropoutLayer& layer) { return layer.kind + " '" + layer.where + "'"; }

/// Turns the markers that survived freezing into mcvol::dropout, or into nothing at rate 0.
void replace_markers(Graph& graph, const std::string& name, DropoutScope scope,
                     std::vector<DropoutLayer>& layers) {
  Value* draws = graph.inputs()[1];
  Value* positions = graph.inputs()[2];
  for (DropoutLayer& layer : layers) layer.fate = "lost: the network's eval mode leaves it out";
  for_each_node(graph.block(), [&](Node* node) {
    if (node->kind() != c10::Symbol::fromQualString(kDropoutMarker)) return;
    DropoutLayer& layer =
        layers.at(static_cast<std::size_t>(torch::jit::toIValue(node->input(2))->toInt()));
    const auto rate = torch::jit::toIValue(node->input(1));
    if (!rate) {
      throw ModelError(name + ": the rate of " + name_of(layer) +
                       " is computed at run time, expected a constant; export it as one");
    }
    layer.rate = rate->toDouble();
    if (!(layer.rate >= 0.0 && layer.rate <= 1.0)) {
      throw ModelError(name + ": the rate of " + name_of(layer) + " is " +
                       std::to_string(layer.rate) + ", expected 0 to 1");
    }
    if (layer.rate == 0.0) {
      layer.fate = "rate 0: does nothing";
      node->output()->replaceAllUsesWith(node->input(0));
      node->destroy();
      return;
    }
    if (inside_loop(node)) {
      throw ModelError(name + ": " + name_of(layer) +
                       " runs inside a loop whose length is not constant, which mcvol cannot key "
                       "masks for; unroll the loop in the network");
    }
    layer.fate = "active";
    const torch::jit::WithInsertPoint at(node);
    const bool feature = torch::jit::toIValue(node->input(4))->toBool();
    Value* sharing = graph.insertConstant(static_cast<std::int64_t>(sharing_under(scope, feature)));
    Node* dropout = graph.create(c10::Symbol::fromQualString(kDropoutOperator), 1);
    dropout->copyMetadata(node);
    dropout->insertBefore(node);
    for (Value* input : {node->input(0), draws, positions, node->input(1), node->input(2),
                         node->input(3), sharing}) {
      dropout->addInput(input);
    }
    dropout->output()->copyMetadata(node->output());
    node->output()->replaceAllUsesWith(dropout->output());
    node->destroy();
  });
}

// A batch norm exported in training mode would mix the passes of a batch.
void force_batch_norm_to_eval(Graph& graph, std::vector<std::string>& notes) {
  int forced = 0;
  for_each_node(graph.block(), [&](Node* node) {
    if (node->kind() != c10::aten::batch_norm) return;
    const auto training = torch::jit::toIValue(node->input(5));
    const bool has_statistics = !node->input(3)->type()->isSubtypeOf(*c10::NoneType::get());
    if (!has_statistics || (training && !training->toBool())) return;
    const torch::jit::WithInsertPoint at(node);
    node->replaceInput(5, graph.insertConstant(false));
    ++forced;
  });
  if (forced > 0) {
    notes.push_back(std::to_string(forced) +
                    " batch norm(s) exported in training mode use their running statistics.");
  }
}

void refuse_other_randomness(Graph& graph, const std::string& name) {
  for_each_node(graph.block(), [&](Node* node) {
    bool random = node->isNondeterministic();
    if (node->kind() == c10::Symbol::fromQualString("aten::scaled_dot_product_attention")) {
      const auto rate = torch::jit::toIValue(node->input(4));
      random = !rate || rate->toDouble() > 0.0;
    }
    if (!random) return;
    throw ModelError(name + ": the network draws its own random numbers (" +
                     node->kind().toQualString() + " in '" + where_of(node) +
                     "'), which mcvol cannot repeat; use dropout layers, or remove it");
  });
}

torch::jit::Module load_module(const std::filesystem::path& path, const std::string& name) {
  try {
    torch::jit::Module module = torch::jit::load(path.string(), at::kCPU);
    module.eval();
    return module;
  } catch (const std::exception& error) {
    throw ModelError(name + ": not a TorchScript file that LibTorch can read (" + reason_of(error) +
                     "); save the network with torch.jit.save");
  }
}

void require_plain_forward(const Graph& graph, const std::string& name) {
  if (graph.inputs().size() != 2) {
    throw ModelError(name + ": forward takes " + std::to_string(graph.inputs().size() - 1) +
                     " inputs, expected one image tensor; wrap the network before exporting it");
  }
  if (graph.outputs().size() != 1 ||
      !graph.outputs()[0]->type()->isSubtypeOf(*c10::TensorType::get())) {
    throw ModelError(
        name + ": forward returns " +
        (graph.outputs().empty() ? "nothing" : graph.outputs()[0]->type()->annotation_str()) +
        ", expected one tensor of logits; wrap the network before exporting it");
  }
}

void clean(std::shared_ptr<Graph>& graph) {
  torch::jit::LowerSimpleTuples(graph);
  torch::jit::RemoveListMutation(graph);
  torch::jit::RemoveTensorMutation(graph);
  torch::jit::ConstantPropagation(graph);
  torch::jit::PeepholeOptimize(graph);
  torch::jit::UnrollConstantLoops(graph);
  torch::jit::EliminateDeadCode(graph);
}

// With the rank known, checks like `if x.dim() != 5: raise` fold away.
void specialise_to_rank_five(std::shared_ptr<Graph>& graph) {
  graph->inputs()[0]->setType(c10::TensorType::create(
      at::kFloat, at::kCPU, std::optional<size_t>(5), std::optional<bool>(false)));
  torch::jit::PropagateInputShapes(graph);
  torch::jit::PeepholeOptimize(graph);
  torch::jit::ConstantPropagation(graph);
  torch::jit::EliminateDeadCode(graph);
  // Shapes seen here must not bind later runs, on other devices or batches.
  torch::jit::EraseShapeInformation(graph);
}

std::shared_ptr<Graph> forward_of(const torch::jit::Module& frozen, const std::string& name) {
  std::shared_ptr<Graph> graph = frozen.get_method("forward").graph();
  if (graph->inputs()[0]->hasUses()) {
    throw ModelError(name +
                     ": the network changes its own attributes while it runs, which mcvol "
                     "cannot repeat; remove that from forward");
  }
  graph->eraseInput(0);
  return graph;
}

}  // namespace

DropoutGraph load_dropout_graph(const std::filesystem::path& path, const std::string& name,
                                DropoutScope scope) {
  register_dropout_operators();
  DropoutGraph network;
  torch::jit::Module module = load_module(path, name);
  try {
    std::shared_ptr<Graph> original = module.get_method("forward").graph();
    require_plain_forward(*original, name);
    torch::jit::Inline(*original);
    network.layers = DropoutMarker(name).mark(*original);

    const torch::jit::Module frozen = torch::jit::freeze_module(module);
    network.source =
        std::make_shared<std::pair<torch::jit::Module, torch::jit::Module>>(module, frozen);
    std::shared_ptr<Graph> graph = forward_of(frozen, name);
    graph->addInput("draws")->setType(c10::TensorType::get());
    graph->addInput("positions")->setType(c10::TensorType::get());
    clean(graph);
    specialise_to_rank_five(graph);
    replace_markers(*graph, name, scope, network.layers);
    force_batch_norm_to_eval(*graph, network.notes);
    clean(graph);
    refuse_other_randomness(*graph, name);
    network.whole = graph;
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw ModelError(name + ": LibTorch could not prepare the network: " + reason_of(error));
  }
  split_graph(network);
  return network;
}

void use_onednn_convolutions(const std::shared_ptr<Graph>& graph) {
  // Inputs: input, weight, bias, stride, padding, dilation, then groups (conv3d) or transposed,
  // output_padding, groups (convolution, _convolution).
  for_each_node(graph->block(), [&](Node* node) {
    const bool plain = node->kind() == c10::aten::conv3d;
    if (!plain && node->kind() != c10::aten::_convolution &&
        node->kind() != c10::Symbol::fromQualString("aten::convolution")) {
      return;
    }
    const auto weight = torch::jit::toIValue(node->input(1));
    const auto padding = torch::jit::toIValue(node->input(4));
    if (!weight || !weight->isTensor() || weight->toTensor().dim() != 5) return;
    if (weight->toTensor().scalar_type() != at::kFloat) return;
    if (!padding || !padding->isIntList()) return;
    if (!plain) {
      const auto transposed = torch::jit::toIValue(node->input(6));
      if (!transposed || transposed->toBool()) return;
    }
    Node* convolution = graph->create(c10::Symbol::fromQualString("aten::mkldnn_convolution"), 1);
    convolution->copyMetadata(node);
    convolution->insertBefore(node);
    const std::size_t groups = plain ? 6 : 8;
    for (const std::size_t input : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{4},
                                    std::size_t{3}, std::size_t{5}, groups}) {
      convolution->addInput(node->input(input));
    }
    convolution->output()->copyMetadata(node->output());
    node->output()->replaceAllUsesWith(convolution->output());
    node->destroy();
  });
}

}  // namespace mcvol
