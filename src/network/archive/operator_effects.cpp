#include "operator_effects.h"

#include <algorithm>
#include <set>
#include <string_view>

#include <ATen/core/class_type.h>

namespace mcvol {
namespace {

using torch::jit::Node;
using torch::jit::Value;

/// Control flow, containers and attributes of TorchScript itself: they have no schema.
bool is_structure(const Node& node) {
  static const std::set<std::string_view> names = {
      "prim::CallFunction",  "prim::CallMethod",   "prim::Constant",
      "prim::ConstantChunk", "prim::CreateObject", "prim::DictConstruct",
      "prim::Enter",         "prim::EnumName",     "prim::EnumValue",
      "prim::Exit",          "prim::GetAttr",      "prim::If",
      "prim::ListConstruct", "prim::ListUnpack",   "prim::Loop",
      "prim::Print",         "prim::SetAttr",      "prim::TupleConstruct",
      "prim::TupleIndex",    "prim::TupleSlice",   "prim::TupleUnpack",
      "prim::Uninitialized", "prim::HasAttr",      "prim::ModuleContainerIndex",
      "prim::isinstance",    "prim::tolist",       "prim::unchecked_cast",
      "prim::data",          "prim::rangelist",    "prim::unchecked_unwrap_optional"};
  return names.contains(node.kind().toQualString());
}

/// Without results, and yet harmless: they raise, warn, check, or turn off what is off here.
bool only_checks(std::string_view name) {
  static const std::set<std::string_view> names = {
      "prim::RaiseException",      "aten::warn",
      "aten::set_grad_enabled",    "aten::_assert_async",
      "aten::_assert_scalar",      "aten::_assert_tensor_metadata",
      "aten::sym_constrain_range", "aten::sym_constrain_range_for_size",
      "aten::_linalg_check_errors"};
  return names.contains(name);
}

/// A class of C++ code, which LibTorch or a library beside it brings.
bool is_native_class(const c10::TypePtr& type, std::set<const c10::Type*>& seen) {
  if (!seen.insert(type.get()).second) return false;
  if (const auto known = type->cast<c10::ClassType>(); known && known->name()) {
    if (known->name()->qualifiedName().starts_with("__torch__.torch.classes.")) return true;
  }
  const auto contained = type->containedTypes();
  return std::any_of(contained.begin(), contained.end(),
                     [&](const c10::TypePtr& inner) { return is_native_class(inner, seen); });
}

bool touches_native_class(const Node& node) {
  std::set<const c10::Type*> seen;
  const auto is_native = [&](const Value* value) { return is_native_class(value->type(), seen); };
  return std::any_of(node.inputs().begin(), node.inputs().end(), is_native) ||
         std::any_of(node.outputs().begin(), node.outputs().end(), is_native);
}

/// By their __lt__, which runs where nothing counts its rounds.
bool sorts_objects(const Node& node) {
  const std::string_view name = node.kind().toQualString();
  if (name != "aten::sort" && name != "aten::sorted") return false;
  const auto list = node.input(0)->type()->cast<c10::ListType>();
  return list && list->getElementType()->cast<c10::ClassType>() != nullptr;
}

bool names_a_file(const c10::FunctionSchema& schema) {
  return std::any_of(schema.arguments().begin(), schema.arguments().end(),
                     [](const c10::Argument& argument) { return argument.name() == "filename"; });
}

}  // namespace

std::optional<std::string> effect_of(const Node& node) {
  const std::string name = node.kind().toQualString();
  constexpr const char* kForeignCode = "runs code that is not in the file";
  if (touches_native_class(node)) return kForeignCode;
  if (is_structure(node)) return std::nullopt;
  if (!name.starts_with("aten::") && !name.starts_with("prim::")) {
    return "is none of PyTorch's own operators";
  }
  if (sorts_objects(node)) return "calls methods of what it sorts";
  const c10::FunctionSchema* schema = node.maybeSchema();
  const bool takes_anything =
      schema != nullptr && schema->is_vararg() && name.starts_with("prim::");
  if (schema == nullptr || takes_anything) return kForeignCode;
  if (names_a_file(*schema)) return "reads or writes a file";
  const bool gives = !schema->returns().empty() || schema->is_mutable();
  if (!gives && !only_checks(name)) return "changes more than its arguments";
  return std::nullopt;
}

}  // namespace mcvol
