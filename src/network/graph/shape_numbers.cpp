#include "shape_numbers.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "network/jit/graph_nodes.h"
#include <torch/csrc/jit/ir/constants.h>

namespace mcvol {
namespace {

using torch::jit::Node;
using torch::jit::Value;

bool is_arithmetic(const Node* node) {
  static const std::unordered_set<std::string_view> names = {
      "aten::add", "aten::sub", "aten::rsub",  "aten::mul",          "aten::div",
      "aten::neg", "aten::abs", "aten::floor", "aten::floor_divide", "aten::remainder"};
  return names.contains(node->kind().toQualString());
}

/// A tensor of no dimension, made of sizes and constants alone.
bool is_number(const Value* value) {
  if (const auto constant = constant_tensor(value)) return constant->dim() == 0;
  const Node* node = value->node();
  if (node->kind() == c10::prim::NumToTensor) return true;
  return is_arithmetic(node) &&
         std::all_of(node->inputs().begin(), node->inputs().end(), [](const Value* input) {
           return is_tensor(input) ? is_number(input) : torch::jit::toIValue(input).has_value();
         });
}

}  // namespace

bool gives_numbers(const Node* node) {
  if (node->outputs().size() != 1) return false;
  const auto is_of = [&](const c10::Type& type) {
    return node->output()->type()->isSubtypeOf(type);
  };
  return is_of(*c10::NumberType::get()) || is_of(*c10::BoolType::get()) ||
         is_of(*c10::ListType::ofInts()) ||
         (is_tensor(node->output()) && is_number(node->output()));
}

}  // namespace mcvol
