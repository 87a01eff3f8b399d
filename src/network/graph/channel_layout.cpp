#include "channel_layout.h"

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "network/jit/graph_nodes.h"
#include <torch/csrc/jit/ir/constants.h>

namespace mcvol {
namespace {

using torch::jit::Node;
using torch::jit::Value;
using Names = std::unordered_set<std::string>;
/// Where each dimension stood in [batch, channels, d0, d1, d2]; none where that is not known.
using Order = std::optional<std::vector<std::int64_t>>;

/// Operators on [batch, channels, d0, d1, d2] that keep this order.
const Names& spatial_operators() {
  static const Names names = {"conv3d",
                              "conv_transpose3d",
                              "convolution",
                              "_convolution",
                              "batch_norm",
                              "instance_norm",
                              "group_norm",
                              "max_pool3d",
                              "avg_pool3d",
                              "adaptive_avg_pool3d",
                              "adaptive_max_pool3d",
                              "upsample_nearest3d",
                              "upsample_trilinear3d"};
  return names;
}

/// Operators that keep the order of their first input's dimensions.
const Names& keeping_operators() {
  static const Names names = {"abs",
                              "alias",
                              "alpha_dropout",
                              "celu",
                              "chunk",
                              "clamp",
                              "clamp_max",
                              "clamp_min",
                              "clone",
                              "constant_pad_nd",
                              "contiguous",
                              "copy",
                              "cos",
                              "detach",
                              "dropout",
                              "dropout_marker",
                              "elu",
                              "erf",
                              "exp",
                              "expm1",
                              "feature_alpha_dropout",
                              "feature_dropout",
                              "flip",
                              "gelu",
                              "hardsigmoid",
                              "hardswish",
                              "hardtanh",
                              "layer_norm",
                              "leaky_relu",
                              "linear",
                              "log",
                              "log1p",
                              "log_softmax",
                              "mish",
                              "narrow",
                              "neg",
                              "ones_like",
                              "pad",
                              "pow",
                              "prelu",
                              "reciprocal",
                              "reflection_pad3d",
                              "relu",
                              "relu6",
                              "replication_pad3d",
                              "roll",
                              "rsqrt",
                              "selu",
                              "sigmoid",
                              "silu",
                              "sin",
                              "slice",
                              "softmax",
                              "softplus",
                              "split",
                              "split_with_sizes",
                              "sqrt",
                              "square",
                              "tanh",
                              "threshold",
                              "to",
                              "type_as",
                              "zeros_like"};
  return names;
}

/// Operators that line their inputs up, so that one of them tells for all.
const Names& joining_operators() {
  static const Names names = {"add", "addcmul", "div",     "eq",      "ge",   "gt",  "le",   "lt",
                              "mul", "ne",      "maximum", "minimum", "rsub", "sub", "where"};
  return names;
}

std::string name_of(const Node* node) {
  std::string name = node->kind().toUnqualString();
  if (name.ends_with('_') && !name.starts_with("_")) name.pop_back();
  return name;
}

// Scripted modules that also take images without a batch do this in a branch.
bool adds_or_drops_the_batch(const Node* node) {
  const std::string name = name_of(node);
  if ((name != "unsqueeze" && name != "squeeze") || node->inputs().size() < 2) return false;
  const auto dim = torch::jit::toIValue(node->input(1));
  return dim && dim->isInt() && dim->toInt() == 0;
}

Order permuted(Order order, const Node* node) {
  const auto dims = torch::jit::toIValue(node->input(1));
  if (!order || !dims || !dims->isIntList()) return std::nullopt;
  std::vector<std::int64_t> now;
  for (std::int64_t dim : dims->toIntVector()) {
    if (dim < 0) dim += static_cast<std::int64_t>(order->size());
    if (dim < 0 || dim >= static_cast<std::int64_t>(order->size())) return std::nullopt;
    now.push_back((*order)[static_cast<std::size_t>(dim)]);
  }
  return now;
}

/// A dimension counted from the front.
std::optional<std::size_t> dimension_at(const Node* node, std::size_t input, std::size_t rank) {
  const auto dim = torch::jit::toIValue(node->input(input));
  if (!dim || !dim->isInt()) return std::nullopt;
  const std::int64_t counted =
      dim->toInt() + (dim->toInt() < 0 ? static_cast<std::int64_t>(rank) : 0);
  if (counted < 0 || counted >= static_cast<std::int64_t>(rank)) return std::nullopt;
  return static_cast<std::size_t>(counted);
}

Order moved(Order order, const Node* node, bool swap) {
  if (!order || node->inputs().size() < 3) return std::nullopt;
  const auto from = dimension_at(node, 1, order->size());
  const auto to = dimension_at(node, 2, order->size());
  if (!from || !to) return std::nullopt;
  if (swap) {
    std::swap((*order)[*from], (*order)[*to]);
    return order;
  }
  const std::int64_t dimension = (*order)[*from];
  order->erase(order->begin() + static_cast<std::ptrdiff_t>(*from));
  order->insert(order->begin() + static_cast<std::ptrdiff_t>(*to), dimension);
  return order;
}

/// Follows a tensor back to the image.
class Search {
 public:
  /// @param strict the rank must be 5 on every way: spatial operators are no proof.
  Search(const torch::jit::Graph& graph, bool strict)
      : image_(graph.inputs()[0]), strict_(strict) {}

  Order order(const Value* value) {
    if (value == image_) return kImage;
    const auto known = known_.find(value);
    if (known != known_.end()) return known->second;
    const Order answer = follow(value);
    known_[value] = answer;
    return answer;
  }

 private:
  inline static const Order kImage = std::vector<std::int64_t>{0, 1, 2, 3, 4};

  Order follow(const Value* value) {
    const Node* node = value->node();
    if (node->kind() == c10::prim::If) return common_order(branches(value));
    const std::string name = name_of(node);
    if (spatial_operators().contains(name)) {
      return strict_ && order(node->input(0)) != kImage ? std::nullopt : kImage;
    }
    if (name == "permute") return permuted(order(node->input(0)), node);
    if (name == "transpose" || name == "movedim") {
      return moved(order(node->input(0)), node, name == "transpose");
    }
    if (name == "ListUnpack" || name == "ConstantChunk" || name == "cat" ||
        keeping_operators().contains(name)) {
      return order(node->input(0));
    }
    if (name == "ListConstruct")
      return common_order({node->inputs().begin(), node->inputs().end()});
    if (joining_operators().contains(name)) {
      for (const Value* input : node->inputs()) {
        if (!is_tensor(input) || input->node()->kind() == c10::prim::Constant) continue;
        if (const Order found = order(input)) return found;
      }
      return std::nullopt;
    }
    const bool same = !strict_ && adds_or_drops_the_batch(node);
    return same ? order(node->input(0)) : std::nullopt;
  }

  static std::vector<const Value*> branches(const Value* value) {
    std::vector<const Value*> outputs;
    for (const auto* block : value->node()->blocks()) {
      const Value* output = block->outputs()[value->offset()];
      if (output->node()->kind() != c10::prim::Uninitialized) outputs.push_back(output);
    }
    return outputs;
  }

  Order common_order(const std::vector<const Value*>& values) {
    if (values.empty()) return std::nullopt;
    const Order first = order(values.front());
    const bool same = std::all_of(values.begin(), values.end(),
                                  [&](const Value* value) { return order(value) == first; });
    return same ? first : std::nullopt;
  }

  const Value* image_;
  bool strict_;
  std::unordered_map<const Value*, Order> known_;
};

}  // namespace

bool has_channels_first(const torch::jit::Graph& graph, const Value* value) {
  const Order order = Search(graph, false).order(value);
  return order && order->size() == 5 && (*order)[1] == 1;
}

int write_in_ranks(torch::jit::Graph& graph) {
  int written = 0;
  for_each_node(graph.block(), [&](Node* node) {
    if (node->kind() != c10::aten::dim || !Search(graph, true).order(node->input(0))) return;
    const torch::jit::WithInsertPoint at(node);
    node->output()->replaceAllUsesWith(graph.insertConstant(std::int64_t{5}));
    node->destroy();
    ++written;
  });
  return written;
}

}  // namespace mcvol
