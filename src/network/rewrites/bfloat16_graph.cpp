#include "bfloat16_graph.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_set>

#include "network/jit/graph_nodes.h"
#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/constants.h>

namespace mcvol {
namespace {

using torch::jit::Block;
using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

bool is_list_of_tensors(const Value* value) {
  const auto list = value->type()->cast<c10::ListType>();
  return list && list->getElementType()->isSubtypeOf(*c10::TensorType::get());
}

bool holds_tensors(const Value* value) { return is_tensor(value) || is_list_of_tensors(value); }

/// The input is the first argument, the weight or a list of weights the second.
bool is_convolution(const Node* node) {
  static const std::unordered_set<std::string_view> names = {"mcvol::convolution",
                                                             "mcvol::transposed_convolution"};
  return names.contains(node->kind().toQualString());
}

/// Gives what it gets, one rounding of a sum apart: the same for any threads and batch.
bool keeps_bfloat16(const Node* node) {
  static const std::unordered_set<std::string_view> names = {
      "aten::add",          "aten::cat",        "aten::chunk",         "aten::constant_pad_nd",
      "aten::contiguous",   "aten::detach",     "aten::expand",        "aten::flatten",
      "aten::leaky_relu",   "aten::max_pool3d", "aten::narrow",        "aten::pad",
      "aten::permute",      "aten::relu",       "aten::reshape",       "aten::reflection_pad3d",
      "aten::select",       "aten::slice",      "aten::split",         "aten::split_with_sizes",
      "aten::squeeze",      "aten::sub",        "aten::repeat",        "aten::replication_pad3d",
      "aten::transpose",    "aten::unsqueeze",  "aten::view",          "aten::upsample_nearest3d",
      "mcvol::activation",  "mcvol::cat",       "prim::ListConstruct", "prim::ListUnpack",
      "prim::ConstantChunk"};
  return names.contains(node->kind().toQualString());
}

/// The inputs whose type decides. The tables of an activation stay in fp32.
std::vector<std::size_t> terms_of(const Node* node) {
  const bool is_activation = node->kind() == c10::Symbol::fromQualString("mcvol::activation");
  std::vector<std::size_t> terms;
  for (std::size_t n = 0; n < node->inputs().size(); ++n) {
    const bool is_table = is_activation && n != 0 && n != 1 && n != 6;
    if (holds_tensors(node->input(n)) && !is_table) terms.push_back(n);
  }
  return terms;
}

/// A list goes nowhere but to where its type is followed.
bool is_followed(const Value* value) {
  return !is_list_of_tensors(value) ||
         std::all_of(value->uses().begin(), value->uses().end(), [](const torch::jit::Use& use) {
           static const c10::Symbol channels = c10::Symbol::fromQualString("mcvol::cat");
           return use.user->kind() == c10::aten::cat || use.user->kind() == channels ||
                  use.user->kind() == c10::prim::ListUnpack;
         });
}

class Conversion {
 public:
  Conversion(const std::shared_ptr<Graph>& graph, bool in_place)
      : graph_(graph), in_place_(in_place) {}

  void input_is_bfloat16(const Value* input) { narrow_.insert(input); }

  void convert(Block* block) {
    for (auto iterator = block->nodes().begin(); iterator != block->nodes().end();) {
      Node* node = *iterator++;
      for (Block* inner : node->blocks()) convert(inner);
      if (is_convolution(node)) {
        convert_convolution(node);
      } else if (keeps_bfloat16(node)) {
        convert_keeper(node);
      } else if (!node->blocks().empty() ||
                 std::any_of(node->outputs().begin(), node->outputs().end(), holds_tensors)) {
        widen(node, terms_of(node));
      }
    }
    if (block != graph_->block()) widen(block->return_node(), terms_of(block->return_node()));
  }

 private:
  bool is_narrow(const Value* value) const { return narrow_.contains(value); }

  /// The value in another type, made before the node.
  Value* as(Value* value, at::ScalarType type, Node* before) {
    const torch::jit::WithInsertPoint at(before);
    Value* cast = graph_->insert(c10::aten::to, {value, static_cast<std::int64_t>(type)});
    if (type == at::kBFloat16) narrow_.insert(cast);
    return cast;
  }

  void widen(Node* node, const std::vector<std::size_t>& inputs) {
    for (const std::size_t n : inputs) {
      Value* value = node->input(n);
      if (is_narrow(value) && is_tensor(value)) {
        node->replaceInput(n, as(value, at::kFloat, node));
      }
    }
  }

  void convert_convolution(Node* node) {
    Value* input = node->input(0);
    if (!is_narrow(input)) node->replaceInput(0, as(input, at::kBFloat16, node));
    node->replaceInput(1, narrowed_weights(node->input(1), node));
    if (!in_place_) {
      narrow_.insert(node->output());
      return;
    }
    Value* cast = as(node->output(), at::kFloat, node);
    cast->node()->moveAfter(node);
    node->output()->replaceAllUsesAfterNodeWith(cast->node(), cast);
  }

  Value* narrowed_weights(Value* weights, Node* before) {
    const torch::jit::WithInsertPoint at(before);
    if (is_tensor(weights)) {
      return graph_->insertConstant(torch::jit::toIValue(weights)->toTensor().to(at::kBFloat16));
    }
    std::vector<Value*> phases;
    for (Value* phase : weights->node()->inputs()) {
      phases.push_back(
          graph_->insertConstant(torch::jit::toIValue(phase)->toTensor().to(at::kBFloat16)));
    }
    return graph_->insertNode(graph_->createList(c10::TensorType::get(), phases))->output();
  }

  /// In bfloat16 if all that it works on is, else in fp32.
  void convert_keeper(Node* node) {
    const std::vector<std::size_t> terms = terms_of(node);
    const auto narrow = [&](std::size_t n) { return is_narrow(node->input(n)); };
    const auto followed = [](const Value* output) { return is_followed(output); };
    if (!terms.empty() && std::all_of(terms.begin(), terms.end(), narrow) &&
        std::all_of(node->outputs().begin(), node->outputs().end(), followed)) {
      narrow_.insert(node->outputs().begin(), node->outputs().end());
    } else {
      widen(node, terms);
    }
  }

  std::shared_ptr<Graph> graph_;
  bool in_place_;
  std::unordered_set<const Value*> narrow_;  ///< bfloat16, or a list of such
};

}  // namespace

void use_bfloat16_convolutions(const std::shared_ptr<Graph>& graph,
                               const std::vector<at::ScalarType>& inputs) {
  Conversion conversion(graph, changes_tensors(*graph));
  for (std::size_t n = 0; n < inputs.size(); ++n) {
    if (inputs[n] == at::kBFloat16) conversion.input_is_bfloat16(graph->inputs()[n]);
  }
  conversion.convert(graph->block());
}

}  // namespace mcvol
