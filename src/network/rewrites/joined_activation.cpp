#include "joined_activation.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "activation_operator.h"
#include "joined_steps.h"
#include "network/device/tensor_values.h"
#include "network/dropout/dropout_operator.h"
#include "network/jit/graph_nodes.h"
#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/constants.h>

namespace mcvol {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

/// What one operator does for many.
struct Chain {
  std::vector<Node*> nodes;
  Value* input = nullptr;
  Value* before = nullptr;
  Node* norm = nullptr;
  std::optional<at::Tensor> scale, shift;
  double epsilon = -1.0;
  std::optional<at::Tensor> slope;
  Node* dropout = nullptr;
  bool drops_first = false;
  Value* after = nullptr;
};

bool is_constant_or_none(const Value* value) { return torch::jit::toIValue(value).has_value(); }

/// Inputs of aten::batch_norm: input, weight, bias, mean, variance, training, momentum, epsilon.
bool take_batch_norm(Chain& chain, Node* node) {
  if (node->kind() != c10::aten::batch_norm) return false;
  for (const std::size_t input : {1, 2, 3, 4, 5, 7}) {
    if (!is_constant_or_none(node->input(input))) return false;
  }
  if (torch::jit::toIValue(node->input(5))->toBool()) return false;
  const auto mean = constant_tensor(node->input(3));
  const auto variance = constant_tensor(node->input(4));
  if (!mean || !variance || mean->scalar_type() != at::kFloat) return false;
  const std::int64_t channels = mean->numel();
  for (const std::size_t input : {1, 2, 3, 4}) {
    if (!fits_channels(constant_tensor(node->input(input)), channels)) return false;
  }
  const double epsilon = torch::jit::toIValue(node->input(7))->toDouble();
  const at::Tensor root = at::sqrt(variance->to(at::kDouble) + epsilon);
  const auto weight = constant_tensor(node->input(1));
  const auto bias = constant_tensor(node->input(2));
  const at::Tensor scale = weight ? weight->to(at::kDouble) / root : at::reciprocal(root);
  at::Tensor shift = -mean->to(at::kDouble) * scale;
  if (bias) shift = shift + bias->to(at::kDouble);
  chain.scale = scale.to(at::kFloat);
  chain.shift = shift.to(at::kFloat);
  return true;
}

/// Inputs of aten::instance_norm: input, weight, bias, mean, variance, own statistics, momentum,
/// epsilon.
bool take_instance_norm(Chain& chain, Node* node) {
  if (node->kind() != c10::Symbol::fromQualString("aten::instance_norm")) return false;
  for (const std::size_t input : {1, 2, 5, 7}) {
    if (!is_constant_or_none(node->input(input))) return false;
  }
  if (!torch::jit::toIValue(node->input(5))->toBool()) return false;
  chain.scale = constant_tensor(node->input(1));
  chain.shift = constant_tensor(node->input(2));
  chain.epsilon = torch::jit::toIValue(node->input(7))->toDouble();
  return true;
}

bool is_addition(const Node* node) {
  if (node->kind() != c10::aten::add || node->inputs().size() != 3) return false;
  const auto factor = torch::jit::toIValue(node->input(2));
  return is_tensor(node->input(0)) && is_tensor(node->input(1)) && factor &&
         factor->toScalar().toDouble() == 1.0;
}

/// Whether the node is the next step of a chain; takes it up if so.
bool take(Chain& chain, Node* node, const Value* from) {
  if (chain.after != nullptr) return false;
  const bool begun = chain.norm != nullptr || chain.slope || chain.dropout != nullptr;
  if (is_addition(node)) {
    Value* other = node->input(node->input(0) == from ? 1 : 0);
    if (other == from) return false;
    (begun ? chain.after : chain.before) = other;
    return begun || chain.nodes.empty();
  }
  if (node->input(0) != from) return false;
  if (!begun && (take_batch_norm(chain, node) || take_instance_norm(chain, node))) {
    chain.norm = node;
    return true;
  }
  if (!chain.slope) {
    if (auto slope = constant_slope(node, LeakySlopes::kAny)) {
      chain.slope = std::move(slope);
      return true;
    }
  }
  if (chain.dropout == nullptr && is_inverted_dropout(node)) {
    chain.dropout = node;
    chain.drops_first = !chain.slope;
    return true;
  }
  return false;
}

Chain chain_from(Node* node) {
  Chain chain;
  if (node->inputs().empty() || node->outputs().size() != 1) return chain;
  chain.input = node->input(0);
  const Value* from = chain.input;
  for (Node* next = node; next != nullptr && take(chain, next, from); next = only_user(next)) {
    chain.nodes.push_back(next);
    from = next->output();
  }
  return chain;
}

/// A relu or an addition alone are as fast as they are.
bool pays(const Chain& chain) {
  if (chain.nodes.empty()) return false;
  if (chain.norm != nullptr || chain.dropout != nullptr) return true;
  return chain.slope && (chain.nodes.size() > 1 || chain.slope->numel() > 1);
}

void join(Graph& graph, const Chain& chain, Value* nothing) {
  Node* last = chain.nodes.back();
  const torch::jit::WithInsertPoint at(last);
  Value* none = graph.insertConstant(c10::IValue());
  const auto constant = [&](const std::optional<at::Tensor>& tensor) {
    return tensor ? graph.insertConstant(tensor->contiguous()) : none;
  };
  const auto or_none = [&](Value* value) { return value != nullptr ? value : none; };
  Node* joined = graph.create(c10::Symbol::fromQualString("mcvol::activation"), 1);
  joined->copyMetadata(chain.nodes.front());
  joined->addInput(chain.input);
  joined->addInput(or_none(chain.before));
  joined->addInput(constant(chain.scale));
  joined->addInput(constant(chain.shift));
  joined->addInput(graph.insertConstant(chain.epsilon));
  joined->addInput(constant(chain.slope));
  joined->addInput(or_none(chain.after));
  if (chain.dropout != nullptr) {
    for (const std::size_t input : {1, 2, 3, 4, 6}) joined->addInput(chain.dropout->input(input));
  } else {
    joined->addInput(nothing);
    joined->addInput(nothing);
    joined->addInput(graph.insertConstant(0.0));
    joined->addInput(graph.insertConstant(-1));
    joined->addInput(graph.insertConstant(0));
  }
  joined->addInput(graph.insertConstant(chain.drops_first));
  joined->insertBefore(last);
  joined->output()->setType(c10::TensorType::get());
  last->output()->replaceAllUsesWith(joined->output());
  for (auto node = chain.nodes.rbegin(); node != chain.nodes.rend(); ++node) (*node)->destroy();
}

bool is_in(const Chain& chain, const Node* node) {
  return std::find(chain.nodes.begin(), chain.nodes.end(), node) != chain.nodes.end();
}

void join_in(torch::jit::Block* block, Graph& graph, Value* nothing) {
  for (auto iterator = block->nodes().begin(); iterator != block->nodes().end();) {
    Node* node = *iterator++;
    for (torch::jit::Block* inner : node->blocks()) join_in(inner, graph, nothing);
    const Chain chain = chain_from(node);
    if (!pays(chain)) continue;
    // Between the ends of a chain may stand others.
    while (is_in(chain, *iterator)) ++iterator;
    join(graph, chain, nothing);
  }
}

}  // namespace

void join_activations(const std::shared_ptr<Graph>& graph) {
  register_activation();
  // The joined operator reads later than what it replaces did.
  if (changes_tensors(*graph)) return;
  Value* nothing = nullptr;
  {
    const torch::jit::WithInsertPoint at(*graph->nodes().begin());
    nothing = graph->insertConstant(at::empty({0}, at::kLong));
  }
  join_in(graph->block(), *graph, nothing);
}

}  // namespace mcvol
