#include "pointwise.h"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "network/dropout/dropout_operator.h"
#include "network/jit/graph_nodes.h"
#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/constants.h>

namespace mcvol {
namespace {

using torch::jit::Node;
using torch::jit::Value;

const std::unordered_set<std::string>& elementwise_operators() {
  static const std::unordered_set<std::string> names = {
      "aten::add",        "aten::sub",        "aten::mul",
      "aten::div",        "aten::rsub",       "aten::neg",
      "aten::relu",       "aten::leaky_relu", "aten::prelu",
      "aten::elu",        "aten::selu",       "aten::celu",
      "aten::gelu",       "aten::silu",       "aten::mish",
      "aten::sigmoid",    "aten::tanh",       "aten::softplus",
      "aten::hardtanh",   "aten::relu6",      "aten::clamp",
      "aten::exp",        "aten::log",        "aten::abs",
      "aten::contiguous", "aten::to",         "aten::detach",
      "aten::hardswish",  "prim::Constant",   "prim::ListConstruct",
      "prim::ListUnpack"};
  return names;
}

// Operators that work along one dimension, and where their `dim` input stands.
std::optional<std::size_t> dimension_input(const std::string& name) {
  static const std::vector<std::pair<std::string, std::size_t>> operators = {
      {"aten::cat", 1},    {"aten::softmax", 1}, {"aten::log_softmax", 1},     {"aten::slice", 1},
      {"aten::narrow", 1}, {"aten::chunk", 2},   {"aten::split_with_sizes", 2}};
  for (const auto& [operator_name, input] : operators) {
    if (operator_name == name) return input;
  }
  return std::nullopt;
}

// A constant that broadcasts over space: a number, or a tensor with one value per channel at most.
// (PyTorch lines up trailing dimensions, so [C] would run along d2.)
bool broadcasts_over_space(const Value* value) {
  const auto tensor = constant_tensor(value);
  if (!tensor || tensor->numel() == 1) return true;
  if (tensor->dim() < 4) return false;
  const auto sizes = tensor->sizes().slice(static_cast<std::size_t>(tensor->dim() - 3));
  return std::all_of(sizes.begin(), sizes.end(), [](std::int64_t size) { return size == 1; });
}

bool all_are(const Value* list, std::int64_t wanted) {
  const auto constant = torch::jit::toIValue(list);
  if (!constant || !constant->isIntList()) return false;
  const auto values = constant->toIntVector();
  return std::all_of(values.begin(), values.end(), [&](std::int64_t v) { return v == wanted; });
}

bool is_fixed_batch_norm(const Node* node) {
  if (node->kind() != c10::aten::batch_norm) return false;
  const auto training = torch::jit::toIValue(node->input(5));
  return training && !training->toBool();
}

bool pads_channels_only(const Node* node) {
  const std::string name = node->kind().toQualString();
  if (name != "aten::constant_pad_nd" && name != "aten::pad") return false;
  if (name == "aten::pad") {
    const auto mode = torch::jit::toIValue(node->input(2));
    if (!mode || mode->toStringRef() != "constant") return false;
  }
  const auto constant = torch::jit::toIValue(node->input(1));
  if (!constant || !constant->isIntList()) return false;
  const auto pad = constant->toIntVector();  // last dimension first
  const auto spatial = std::min<std::size_t>(6, pad.size());
  return pad.size() <= 8 && std::all_of(pad.begin(), pad.begin() + static_cast<long>(spatial),
                                        [](std::int64_t width) { return width == 0; });
}

bool is_pointwise_node(const Node* node) {
  const std::string name = node->kind().toQualString();
  if (!node->blocks().empty()) return false;
  if (name == kDropoutOperator) return true;
  if (is_unit_convolution(node) || is_fixed_batch_norm(node) || pads_channels_only(node)) {
    return true;
  }
  if (elementwise_operators().contains(name)) {
    return name.starts_with("prim::") || name == "aten::prelu" ||
           std::all_of(node->inputs().begin(), node->inputs().end(), broadcasts_over_space);
  }
  if (name == "prim::ConstantChunk") return node->i(c10::attr::dim) == 1;
  if (const auto input = dimension_input(name)) {
    const auto dim = torch::jit::toIValue(node->input(*input));
    return dim && dim->isInt() && dim->toInt() == 1;
  }
  return false;
}

}  // namespace

bool is_unit_convolution(const Node* node) {
  const std::string name = node->kind().toQualString();
  if (name != "aten::conv3d" && name != "aten::convolution" && name != "aten::_convolution") {
    return false;
  }
  const auto weight = constant_tensor(node->input(1));
  if (!weight || weight->dim() != 5) return false;
  if (weight->size(2) * weight->size(3) * weight->size(4) != 1) return false;
  if (name != "aten::conv3d") {
    const auto transposed = torch::jit::toIValue(node->input(6));
    if (!transposed || transposed->toBool()) return false;
  }
  return all_are(node->input(3), 1) && all_are(node->input(4), 0);
}

bool is_pointwise(const torch::jit::Graph& graph) {
  const auto nodes = graph.nodes();
  return std::all_of(nodes.begin(), nodes.end(),
                     [](const Node* node) { return is_pointwise_node(node); });
}

}  // namespace mcvol
