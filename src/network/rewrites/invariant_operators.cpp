#include "invariant_operators.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "channel_concatenation.h"
#include "network/convolutions/convolutions.h"
#include "network/convolutions/transposed_convolutions.h"
#include "network/device/serial_section.h"
#include "network/graph/shape_numbers.h"
#include "network/jit/graph_nodes.h"
#include "network/products/attention.h"
#include "network/products/batched_products.h"
#include "network/products/linear_layers.h"
#include "network/products/row_sums.h"
#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/constants.h>

namespace mcvol {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

bool is_one(const Value* value) {
  const auto number = torch::jit::toIValue(value);
  return number && number->isScalar() && number->toScalar().equal(1);
}

/// Of an operator of the list, whether this form of it varies: the product of the second term and a
/// factor is rounded in the remainder of a loop and not in its vectors, or the other way round; and
/// of +0 and -0 they take one or the other for the larger. Pooling to one voxel is a mean.
bool varies_by_arguments(const Node* node, const std::string& name) {
  if (name == "adaptive_avg_pool3d") return !torch::jit::toIValue(node->input(1));
  if (name == "add" || name == "sub" || name == "rsub") {
    return node->inputs().size() > 2 && !is_one(node->input(2));
  }
  return name.starts_with("clamp") && node->inputs().size() > 1 &&
         (is_tensor(node->input(1)) || is_tensor(node->inputs().back()));
}

bool is_invariant(const Node* node) {
  const c10::Symbol kind = node->kind();
  if (kind.is_prim()) return true;
  if (std::string_view(kind.toQualString()).starts_with("mcvol::")) return true;
  if (gives_numbers(node)) return true;
  std::string name = kind.toUnqualString();
  if (name.ends_with('_') && !name.starts_with("__")) name.pop_back();
  return invariant_operators().contains(name) && !varies_by_arguments(node, name);
}

bool touches_tensors(const Node* node) {
  const auto touches = [](const Value* value) {
    return is_tensor(value) || value->type()->kind() == c10::TypeKind::ListType;
  };
  return std::any_of(node->inputs().begin(), node->inputs().end(), touches);
}

bool gives_tensors(const Node* node) {
  return std::any_of(node->outputs().begin(), node->outputs().end(), is_tensor);
}

double number_at(const Node* node, std::size_t input) {
  return torch::jit::toIValue(node->input(input))->toScalar().toDouble();
}

bool constant_from(const Node* node, std::size_t first) {
  for (std::size_t n = first; n < node->inputs().size(); ++n) {
    if (!torch::jit::toIValue(node->input(n))) return false;
  }
  return true;
}

/// Inserts what replaces `node` before it and returns the result.
using Expansion = Value* (*)(Graph&, Node*);

Value* sigmoid_of(Graph& graph, Value* x) {
  Value* e = graph.insert(c10::aten::exp, {graph.insert(c10::aten::neg, {x})});
  return graph.insert(c10::aten::reciprocal, {graph.insert(c10::aten::add, {e, 1.0})});
}

// scale * x above 0, scale * alpha * (exp(input_scale * x) - 1) below.
Value* elu_of(Graph& graph, Value* x, double alpha, double scale, double input_scale) {
  Value* below = graph.insert(
      c10::aten::mul,
      {graph.insert(c10::aten::expm1, {graph.insert(c10::aten::mul, {x, input_scale})}),
       alpha * scale});
  Value* positive = graph.insert(c10::aten::gt, {x, 0.0});
  return graph.insert(c10::aten::where,
                      {positive, graph.insert(c10::aten::mul, {x, scale}), below});
}

// max(x, 0) + log(1 + exp(-|x|)), which overflows in no precision; x itself beyond the threshold.
Value* softplus_of(Graph& graph, Value* x, double beta, double threshold) {
  Value* scaled = graph.insert(c10::aten::mul, {x, beta});
  Value* tail = graph.insert(c10::aten::neg, {graph.insert(c10::aten::abs, {scaled})});
  Value* soft = graph.insert(
      c10::aten::add, {graph.insert(c10::aten::relu, {scaled}),
                       graph.insert(c10::aten::log1p, {graph.insert(c10::aten::exp, {tail})})});
  return graph.insert(c10::aten::where, {graph.insert(c10::aten::gt, {scaled, threshold}), x,
                                         graph.insert(c10::aten::div, {soft, beta})});
}

Value* expand_sigmoid(Graph& graph, Node* node) { return sigmoid_of(graph, node->input(0)); }

Value* expand_silu(Graph& graph, Node* node) {
  return graph.insert(c10::aten::mul, {node->input(0), sigmoid_of(graph, node->input(0))});
}

Value* expand_elu(Graph& graph, Node* node) {
  if (!constant_from(node, 1)) return nullptr;
  return elu_of(graph, node->input(0), number_at(node, 1), number_at(node, 2), number_at(node, 3));
}

Value* expand_selu(Graph& graph, Node* node) {
  return elu_of(graph, node->input(0), 1.6732632423543772, 1.0507009873554805, 1.0);
}

Value* expand_celu(Graph& graph, Node* node) {
  if (!constant_from(node, 1)) return nullptr;
  const double alpha = number_at(node, 1);
  return elu_of(graph, node->input(0), alpha, 1.0, 1.0 / alpha);
}

Value* expand_softplus(Graph& graph, Node* node) {
  if (!constant_from(node, 1)) return nullptr;
  return softplus_of(graph, node->input(0), number_at(node, 1), number_at(node, 2));
}

Value* expand_mish(Graph& graph, Node* node) {
  Value* soft = softplus_of(graph, node->input(0), 1.0, 20.0);
  return graph.insert(c10::aten::mul, {node->input(0), graph.insert(c10::aten::tanh, {soft})});
}

// x / 2 (1 + erf(x / sqrt 2)), as ATen has it: far below 0 with no more digits than that leaves.
Value* gelu_of(Graph& graph, Value* x) {
  Value* inner = graph.insert(c10::aten::mul, {x, std::sqrt(0.5)});
  Value* factor = graph.insert(c10::aten::add, {graph.insert(c10::aten::erf, {inner}), 1.0});
  return graph.insert(c10::aten::mul, {graph.insert(c10::aten::mul, {x, 0.5}), factor});
}

Value* tanh_gelu_of(Graph& graph, Value* x) {
  Value* cube = graph.insert(c10::aten::mul, {graph.insert(c10::aten::mul, {x, x}), x});
  Value* inner = graph.insert(
      c10::aten::mul,
      {graph.insert(c10::aten::add, {x, graph.insert(c10::aten::mul, {cube, 0.044715})}),
       std::sqrt(2.0 / 3.14159265358979323846)});
  Value* factor = graph.insert(c10::aten::add, {graph.insert(c10::aten::tanh, {inner}), 1.0});
  return graph.insert(c10::aten::mul, {graph.insert(c10::aten::mul, {x, 0.5}), factor});
}

Value* expand_gelu(Graph& graph, Node* node) {
  const auto approximate = torch::jit::toIValue(node->input(1));
  if (!approximate) return nullptr;
  if (approximate->toStringRef() == "none") return gelu_of(graph, node->input(0));
  if (approximate->toStringRef() == "tanh") return tanh_gelu_of(graph, node->input(0));
  return nullptr;
}

// The factor is that of the term which is added to the other, or taken from it.
Value* expand_sum(Graph& graph, Node* node) {
  if (node->inputs().size() < 3 || is_one(node->input(2))) return nullptr;
  const bool from_second = node->kind() == c10::Symbol::fromQualString("aten::rsub");
  std::array<Value*, 2> terms = {node->input(0), node->input(1)};
  Value*& term = terms[from_second ? 0 : 1];
  term = graph.insert(c10::aten::mul, {term, node->input(2)});
  return graph.insert(node->kind(), {terms[0], terms[1]});
}

// x where both are equal, as +0 and -0 are; what is no number where either is.
Value* larger_of(Graph& graph, Value* x, Value* y, c10::Symbol comparison = c10::aten::lt) {
  Value* takes = graph.insert(c10::aten::bitwise_or, {graph.insert(comparison, {x, y}),
                                                      graph.insert(c10::aten::ne, {y, y})});
  return graph.insert(c10::aten::where, {takes, y, x});
}

Value* smaller_of(Graph& graph, Value* x, Value* y) {
  return larger_of(graph, x, y, c10::aten::gt);
}

Value* expand_maximum(Graph& graph, Node* node) {
  if (!is_tensor(node->input(1))) return nullptr;
  return larger_of(graph, node->input(0), node->input(1));
}

Value* expand_minimum(Graph& graph, Node* node) {
  if (!is_tensor(node->input(1))) return nullptr;
  return smaller_of(graph, node->input(0), node->input(1));
}

Value* expand_clamp(Graph& graph, Node* node) {
  Value* least = node->input(1);
  Value* most = node->input(2);
  if (!is_tensor(least) && !is_tensor(most)) return nullptr;
  Value* x = node->input(0);
  if (is_tensor(least)) x = larger_of(graph, x, least);
  return is_tensor(most) ? smaller_of(graph, x, most) : x;
}

// PyTorch's log-softmax is invariant where its softmax is not; tried along these dimensions.
Value* expand_softmax(Graph& graph, Node* node) {
  const auto dim = torch::jit::toIValue(node->input(1));
  if (!dim || (dim->toInt() != 1 && dim->toInt() != -1)) return nullptr;
  Value* logs =
      graph.insert(c10::aten::log_softmax, {node->input(0), node->input(1), node->input(2)});
  return graph.insert(c10::aten::exp, {logs});
}

void expand_operators(const std::shared_ptr<Graph>& graph) {
  static const std::map<std::string, Expansion> expansions = {
      {"aten::sigmoid", expand_sigmoid},  {"aten::silu", expand_silu},
      {"aten::elu", expand_elu},          {"aten::selu", expand_selu},
      {"aten::celu", expand_celu},        {"aten::softplus", expand_softplus},
      {"aten::mish", expand_mish},        {"aten::gelu", expand_gelu},
      {"aten::softmax", expand_softmax},  {"aten::add", expand_sum},
      {"aten::sub", expand_sum},          {"aten::rsub", expand_sum},
      {"aten::maximum", expand_maximum},  {"aten::minimum", expand_minimum},
      {"aten::clamp", expand_clamp},      {"aten::clamp_min", expand_maximum},
      {"aten::clamp_max", expand_minimum}};
  for_each_node(graph->block(), [&](Node* node) {
    const auto found = expansions.find(node->kind().toQualString());
    if (found == expansions.end() || writes_into_arguments(node)) return;
    const torch::jit::WithInsertPoint at(node);
    Value* result = found->second(*graph, node);
    if (result == nullptr) return;
    node->output()->replaceAllUsesWith(result);
    node->destroy();
  });
}

// In other layouts these have kernels of their own, which add up by threads.
void lay_out_contiguously(const std::shared_ptr<Graph>& graph) {
  for_each_node(graph->block(), [&](Node* node) {
    const std::string_view name = node->kind().toQualString();
    if (name != "aten::group_norm" && name != "aten::batch_norm" && name != "aten::instance_norm") {
      return;
    }
    const torch::jit::WithInsertPoint at(node);
    node->replaceInput(0, graph->insert(c10::aten::contiguous, {node->input(0)}));
  });
}

}  // namespace

const std::set<std::string>& invariant_operators() {
  static const std::set<std::string> names = {
      // element by element
      "abs", "add", "addcmul", "alias", "clamp", "clamp_max", "clamp_min", "clone", "contiguous",
      "cos", "detach", "div", "eq", "erf", "exp", "expm1", "fill", "full_like", "ge", "gt",
      "hardsigmoid", "hardswish", "hardtanh", "le", "leaky_relu", "log", "log1p", "lt", "mul", "ne",
      "neg", "ones_like", "prelu", "reciprocal", "relu", "relu6", "rsqrt", "rsub", "sin", "sqrt",
      "square", "sub", "tanh", "threshold", "to", "type_as", "where", "zeros_like",
      // along one dimension, row by row
      "layer_norm", "log_softmax",
      // over space, channel by channel
      "adaptive_avg_pool3d", "avg_pool3d", "batch_norm", "group_norm", "instance_norm",
      "max_pool3d", "upsample_nearest3d", "upsample_trilinear3d",
      // exact
      "arange", "as_tensor", "bitwise_and", "bitwise_not", "bitwise_or", "floor", "floor_divide",
      "masked_fill", "ones", "round", "tensor", "zeros",
      // where elements go
      "__getitem__", "gather", "index", "index_select", "cat", "chunk", "constant_pad_nd", "copy",
      "expand", "expand_as", "flatten", "flip", "narrow", "pad", "permute", "pixel_shuffle",
      "reflection_pad3d", "repeat", "replication_pad3d", "reshape", "roll", "select", "slice",
      "split", "split_with_sizes", "squeeze", "stack", "transpose", "unbind", "unflatten",
      "unsqueeze", "view", "view_as"};
  return names;
}

void use_invariant_operators(const std::shared_ptr<Graph>& graph) {
  lay_out_contiguously(graph);
  use_channel_concatenation(graph);
  use_blocked_softmax(graph);
  expand_operators(graph);
  use_invariant_convolutions(graph);
  use_phase_convolutions(graph);
  use_blocked_attention(graph);
  use_batched_products(graph);
  use_row_sums(graph);
  use_blocked_linear_layers(graph);
}

std::vector<std::string> branching_operators(const std::shared_ptr<Graph>& graph) {
  std::set<std::string> names;
  for_each_node(graph->block(), [&](Node* node) {
    if (!node->blocks().empty() && gives_tensors(node)) names.insert(node->kind().toQualString());
  });
  return {names.begin(), names.end()};
}

std::vector<std::string> run_variant_operators_serially(const std::shared_ptr<Graph>& graph) {
  const std::vector<std::string> branching = branching_operators(graph);
  std::set<std::string> names(branching.begin(), branching.end());
  for_each_node(graph->block(), [&](Node* node) {
    const bool variant = node->blocks().empty() && !is_invariant(node) && touches_tensors(node);
    if (variant && gives_tensors(node)) names.insert(node->kind().toQualString());
    if (variant) run_serially(node);
  });
  return {names.begin(), names.end()};
}

}  // namespace mcvol
