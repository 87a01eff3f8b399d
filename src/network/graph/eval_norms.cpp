#include "eval_norms.h"

#include <optional>

#include "network/jit/graph_nodes.h"
#include <torch/csrc/jit/ir/constants.h>

namespace mcvol {
namespace {

using torch::jit::Graph;
using torch::jit::Node;

// Both take input, weight, bias, mean, variance, whether they make statistics of their own, …
constexpr std::size_t kMean = 3, kOwnStatistics = 5;

bool is_instance_norm(const Node* node) {
  return node->kind() == c10::Symbol::fromQualString("aten::instance_norm");
}

bool is_tracking_norm(const Node* node) {
  return node->kind() == c10::aten::batch_norm || is_instance_norm(node);
}

}  // namespace

void EvalNorms::turn(Graph& graph, Node* node) {
  const torch::jit::WithInsertPoint at(node);
  node->replaceInput(kOwnStatistics, graph.insertConstant(false));
  ++(is_instance_norm(node) ? instance_norms_ : batch_norms_);
}

// An attribute may yet turn out to be none, and a condition to be that of eval mode.
void EvalNorms::force_before_freezing(Graph& graph) {
  for_each_node(graph.block(), [&](Node* node) {
    if (!is_tracking_norm(node) || !is_tensor(node->input(kMean))) return;
    const auto own = torch::jit::toIValue(node->input(kOwnStatistics));
    if (own && own->toBool()) turn(graph, node);
  });
}

void EvalNorms::force(Graph& graph) {
  for_each_node(graph.block(), [&](Node* node) {
    if (!is_tracking_norm(node)) return;
    const bool tracks = !node->input(kMean)->type()->isSubtypeOf(*c10::NoneType::get());
    const auto own = torch::jit::toIValue(node->input(kOwnStatistics));
    if (tracks && (!own || own->toBool())) turn(graph, node);
  });
}

void EvalNorms::note(std::vector<std::string>& notes) const {
  const auto add = [&](int count, const std::string& kind) {
    if (count == 0) return;
    notes.push_back(std::to_string(count) + " " + kind +
                    " norm(s) exported in training mode use their running statistics.");
  };
  add(batch_norms_, "batch");
  add(instance_norms_, "instance");
}

}  // namespace mcvol
