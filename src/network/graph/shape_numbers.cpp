#include "shape_numbers.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
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

/// What is asked of a tensor and does not depend on its values.
bool is_question_of_shape(const Node* node) {
  static const std::unordered_set<std::string_view> names = {
      "aten::size",       "aten::sym_size",     "aten::dim",    "aten::numel",
      "aten::stride",     "aten::len",          "prim::dtype",  "prim::device",
      "prim::layout",     "prim::is_cuda",      "prim::is_cpu", "aten::is_floating_point",
      "aten::is_complex", "aten::is_contiguous"};
  return names.contains(node->kind().toQualString());
}

using Known = std::unordered_map<const Value*, bool>;

/// A tensor of no dimension, made of sizes and constants alone.
bool is_number(const Value* value, Known& known) {
  const auto found = known.find(value);
  if (found != known.end()) return found->second;
  known[value] = false;
  if (const auto constant = constant_tensor(value)) return known[value] = constant->dim() == 0;
  const Node* node = value->node();
  if (node->kind() == c10::prim::NumToTensor) return known[value] = true;
  const auto is_of_numbers = [&](const Value* input) {
    return is_tensor(input) ? is_number(input, known) : torch::jit::toIValue(input).has_value();
  };
  return known[value] = is_arithmetic(node) &&
                        std::all_of(node->inputs().begin(), node->inputs().end(), is_of_numbers);
}

}  // namespace

bool gives_numbers(const Node* node) {
  if (node->outputs().size() != 1) return false;
  Known known;
  const auto is_of = [&](const c10::Type& type) {
    return node->output()->type()->isSubtypeOf(type);
  };
  if (is_tensor(node->output())) return is_number(node->output(), known);
  if (!is_of(*c10::NumberType::get()) && !is_of(*c10::BoolType::get()) &&
      !is_of(*c10::ListType::ofInts())) {
    return false;
  }
  return is_question_of_shape(node) ||
         std::all_of(node->inputs().begin(), node->inputs().end(), [&](const Value* input) {
           const bool list = input->type()->kind() == c10::TypeKind::ListType &&
                             !input->type()->isSubtypeOf(*c10::ListType::ofInts());
           return !list && (!is_tensor(input) || is_number(input, known));
         });
}

}  // namespace mcvol
