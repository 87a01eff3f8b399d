#include "channel_layout.h"

#include <algorithm>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "graph_nodes.h"
#include <torch/csrc/jit/ir/constants.h>

namespace mcvol {
namespace {

using torch::jit::Node;
using torch::jit::Value;

bool gives_channels_first(const std::string& name) {
  static const std::unordered_set<std::string> names = {"conv3d",
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
                                                        "upsample_trilinear3d",
                                                        "prelu",
                                                        "pixel_shuffle"};
  return names.contains(name);
}

bool may_move_channels(const std::string& name) {
  static const std::unordered_set<std::string> names = {
      "permute",   "transpose",  "movedim",
      "swapaxes",  "swapdims",   "t",
      "view",      "reshape",    "flatten",
      "unflatten", "linear",     "matmul",
      "bmm",       "einsum",     "tensordot",
      "stack",     "squeeze",    "unsqueeze",
      "select",    "layer_norm", "scaled_dot_product_attention"};
  return names.contains(name);
}

// Scripted modules that also take images without a batch do this in a branch.
bool adds_or_drops_the_batch(const Node* node) {
  if (node->inputs().size() < 2) return false;
  const auto dim = torch::jit::toIValue(node->input(1));
  return dim && dim->isInt() && dim->toInt() == 0;
}

class Search {
 public:
  explicit Search(const torch::jit::Graph& graph) : image_(graph.inputs()[0]) {}

  bool holds(const Value* value) {
    if (value == image_) return true;
    const auto known = known_.find(value);
    if (known != known_.end()) return known->second;
    known_[value] = true;  // round a loop: what the other ways say
    const bool answer = follows(value);
    known_[value] = answer;
    return answer;
  }

 private:
  bool follows(const Value* value) {
    const Node* node = value->node();
    if (node->kind() == c10::prim::If || node->kind() == c10::prim::Loop) {
      const std::size_t skip = node->kind() == c10::prim::Loop ? 1 : 0;  // its condition
      return std::all_of(node->blocks().begin(), node->blocks().end(), [&](const auto* block) {
        return holds(block->outputs()[value->offset() + skip]);
      });
    }
    if (node->kind() == c10::prim::Constant || node->kind() == c10::prim::Uninitialized) {
      return true;  // joins a tensor that decides
    }
    std::string name = node->kind().toUnqualString();
    if (name.ends_with('_')) name.pop_back();
    if (gives_channels_first(name)) return true;
    if (name == "dropout" || name == "dropout_marker") return holds(node->input(0));
    if ((name == "unsqueeze" || name == "squeeze") && adds_or_drops_the_batch(node)) {
      return holds(node->input(0));
    }
    if (node->kind() == c10::prim::Param || may_move_channels(name)) return false;
    bool any = false;
    for (const Value* input : node->inputs()) {
      const bool list = input->node()->kind() == c10::prim::ListConstruct;
      if (!is_tensor(input) && !list) continue;
      if (input->node()->kind() == c10::prim::Constant) continue;
      if (list && (input->node()->inputs().empty() || !is_tensor(input->node()->input(0))))
        continue;
      if (!holds(input)) return false;
      any = true;
    }
    return any;
  }

  const Value* image_;
  std::unordered_map<const Value*, bool> known_;
};

}  // namespace

bool has_channels_first(const torch::jit::Graph& graph, const Value* value) {
  return Search(graph).holds(value);
}

void write_in_ranks(torch::jit::Graph& graph) {
  for_each_node(graph.block(), [&](Node* node) {
    if (node->kind() != c10::aten::dim || !has_channels_first(graph, node->input(0))) return;
    const torch::jit::WithInsertPoint at(node);
    node->output()->replaceAllUsesWith(graph.insertConstant(std::int64_t{5}));
    node->destroy();
  });
}

}  // namespace mcvol
