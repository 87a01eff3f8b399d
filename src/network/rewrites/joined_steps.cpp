#include "joined_steps.h"

#include "network/dropout/dropout_operator.h"
#include "network/jit/graph_nodes.h"
#include <torch/csrc/jit/ir/constants.h>

namespace mcvol {

using torch::jit::Node;

Node* only_user(const Node* node) {
  if (node->outputs().size() != 1 || node->output()->uses().size() != 1) return nullptr;
  Node* user = node->output()->uses()[0].user;
  const bool here = user->kind() != c10::prim::Return && user->owningBlock() == node->owningBlock();
  return here ? user : nullptr;
}

std::optional<at::Tensor> constant_slope(const Node* node, LeakySlopes taken) {
  if (node->kind() == c10::aten::relu) return at::zeros({1});
  if (node->kind() == c10::aten::leaky_relu) {
    const auto slope = torch::jit::toIValue(node->input(1));
    if (!slope) return std::nullopt;
    const double value = slope->toScalar().toDouble();
    if (value >= 0.0 || taken == LeakySlopes::kAny) return at::full({1}, value);
  }
  if (node->kind() == c10::aten::prelu) {
    const auto slope = constant_tensor(node->input(1));
    if (slope && slope->dim() == 1) return slope;
  }
  return std::nullopt;
}

bool is_inverted_dropout(const Node* node) {
  if (node->kind() != c10::Symbol::fromQualString(kDropoutOperator)) return false;
  const auto form = torch::jit::toIValue(node->input(5));
  return form && form->toInt() == static_cast<std::int64_t>(DropoutForm::kInverted);
}

}  // namespace mcvol
