#include "forward_output.h"

#include "mcvol/error/error.h"

#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

bool is_tensor_type(const c10::TypePtr& type) { return type->isSubtypeOf(*c10::TensorType::get()); }

std::string expected_instead_of(const c10::TypePtr& type) {
  return "forward returns " + type->annotation_str() + ", expected one tensor of logits";
}

/// @pre `tuple` is of a tuple's type.
Value* element_of_tuple(Graph& graph, Value* tuple, std::int64_t index) {
  const auto elements = tuple->type()->expectRef<c10::TupleType>().elements();
  if (index >= static_cast<std::int64_t>(elements.size())) {
    throw ModelError(expected_instead_of(tuple->type()) + "; output.index of model.json is " +
                     std::to_string(index) + ", and it has " + std::to_string(elements.size()));
  }
  const c10::TypePtr type = elements[static_cast<std::size_t>(index)];
  if (!is_tensor_type(type)) {
    throw ModelError(expected_instead_of(tuple->type()) + "; what output.index of model.json (" +
                     std::to_string(index) + ") says is " + type->annotation_str());
  }
  Value* place = graph.insertConstant(index);
  return graph.insertNode(graph.createTupleIndex(tuple, place, type))->output();
}

Value* taken(Graph& graph, Value* output, std::optional<std::int64_t> index) {
  const c10::TypePtr type = output->type();
  const auto list = type->cast<c10::ListType>();
  const bool is_list = list && is_tensor_type(list->getElementType());
  if (is_tensor_type(type)) {
    if (!index) return output;
    throw ModelError("forward returns one tensor; remove output.index from model.json");
  }
  if (!is_list && !type->cast<c10::TupleType>()) {
    throw ModelError(expected_instead_of(type) + "; wrap the network before exporting it");
  }
  if (!index) {
    throw ModelError(expected_instead_of(type) +
                     "; say in model.json which of them (\"output\": {\"index\": 0, …} is the "
                     "first), or wrap the network before exporting it");
  }
  const torch::jit::WithInsertPoint at(graph.return_node());
  if (!is_list) return element_of_tuple(graph, output, *index);
  const Node* made = output->node();
  const auto count = static_cast<std::int64_t>(made->inputs().size());
  if (made->kind() == c10::prim::ListConstruct && *index >= count) {
    throw ModelError(expected_instead_of(type) + "; output.index of model.json is " +
                     std::to_string(*index) + ", and it has " + std::to_string(count));
  }
  return graph.insert(c10::aten::__getitem__, {output, *index});
}

}  // namespace

void take_output(const torch::jit::Module& module, std::optional<std::int64_t> index,
                 const std::string& name) {
  torch::jit::GraphFunction& forward =
      torch::jit::toGraphFunction(module.get_method("forward").function());
  Graph& graph = *forward.graph();
  if (graph.inputs().size() != 2) {
    throw ModelError(name + ": forward takes " + std::to_string(graph.inputs().size() - 1) +
                     " inputs, expected one image tensor; wrap the network before exporting it");
  }
  if (graph.outputs().size() != 1) {
    throw ModelError(name +
                     ": forward returns nothing, expected one tensor of logits; wrap the network "
                     "before exporting it");
  }
  Value* output = nullptr;
  try {
    output = taken(graph, graph.outputs()[0], index);
  } catch (const ModelError& error) {
    throw ModelError(name + ": " + error.what());
  }
  if (output == graph.outputs()[0]) return;
  graph.return_node()->replaceInput(0, output);
  forward.setSchema(forward.getSchema().cloneWithReturns({c10::Argument("", output->type())}));
}

}  // namespace mcvol
