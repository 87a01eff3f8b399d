#include "padding_words.h"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "network/jit/graph_nodes.h"
#include <torch/csrc/jit/ir/constants.h>

namespace mcvol {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

// aten::conv3d and aten::_convolution_mode take input, weight, bias, stride, padding, dilation,
// groups.
constexpr std::size_t kWeight = 1, kStride = 3, kPadding = 4, kDilation = 5;

/// The word, of a 3-D convolution whose weight is a constant.
std::optional<std::string> padding_word(const Node* node) {
  const bool by_word = node->kind() == c10::Symbol::fromQualString("aten::_convolution_mode");
  if (node->kind() != c10::aten::conv3d && !by_word) return std::nullopt;
  const auto weight = constant_tensor(node->input(kWeight));
  const auto padding = torch::jit::toIValue(node->input(kPadding));
  if (!weight || weight->dim() != 5 || !padding || !padding->isString()) return std::nullopt;
  return padding->toStringRef();
}

/// Three numbers, of which one may stand for all; none where they are computed.
std::optional<std::vector<std::int64_t>> numbers_along_axes(const Value* value) {
  const auto constant = torch::jit::toIValue(value);
  if (!constant || !constant->isIntList()) return std::nullopt;
  const auto list = constant->toIntVector();
  if (list.size() == 1) return std::vector<std::int64_t>(3, list.front());
  return list.size() == 3 ? std::optional(list) : std::nullopt;
}

void write_numbers(Graph& graph, Node* node, const std::vector<std::int64_t>& padding,
                   const std::vector<std::int64_t>& behind) {
  const torch::jit::WithInsertPoint at(node);
  Value* input = node->input(0);
  if (std::any_of(behind.begin(), behind.end(), [](std::int64_t width) { return width != 0; })) {
    input = graph.insert(c10::aten::constant_pad_nd, {input, behind, 0});
  }
  Node* convolution = graph.create(c10::aten::conv3d, 1);
  convolution->copyMetadata(node);
  for (Value* value : node->inputs()) convolution->addInput(value);
  convolution->replaceInput(0, input);
  convolution->replaceInput(kPadding, graph.insertConstant(padding));
  convolution->insertBefore(node);
  convolution->output()->copyMetadata(node->output());
  node->output()->replaceAllUsesWith(convolution->output());
  node->destroy();
}

void write_same(Graph& graph, Node* node) {
  const auto stride = numbers_along_axes(node->input(kStride));
  const auto dilation = numbers_along_axes(node->input(kDilation));
  if (!stride || !dilation || *stride != std::vector<std::int64_t>(3, 1)) return;
  const at::Tensor weight = *constant_tensor(node->input(kWeight));
  std::vector<std::int64_t> padding(3), behind(6);  // the latter by pairs, last axis first
  for (std::size_t d = 0; d < 3; ++d) {
    const std::int64_t both = (*dilation)[d] * (weight.size(static_cast<std::int64_t>(d) + 2) - 1);
    if (both < 0) return;
    padding[d] = both / 2;
    behind[5 - 2 * d] = both % 2;
  }
  write_numbers(graph, node, padding, behind);
}

}  // namespace

void write_in_padding(Graph& graph) {
  for_each_node(graph.block(), [&](Node* node) {
    const auto word = padding_word(node);
    if (!word) return;
    if (*word == "same") write_same(graph, node);
    if (*word == "valid") write_numbers(graph, node, {0, 0, 0}, {});
  });
}

}  // namespace mcvol
