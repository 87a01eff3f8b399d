#include "unit_convolutions.h"

#include <optional>

#include "network/device/tensor_values.h"
#include "network/graph/pointwise.h"
#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/runtime/custom_operator.h>

namespace mcvol {
namespace {

using torch::jit::Node;
using torch::jit::Value;

/// @param weight [outputs, inputs]
at::Tensor matrix_product(const at::Tensor& input, const at::Tensor& weight,
                          const std::optional<at::Tensor>& bias) {
  const at::Tensor kernels = weight.view({weight.size(0), weight.size(1), 1, 1, 1});
  if (!operands_match(input, kernels, bias)) return at::conv3d(input, kernels, bias);
  const at::Tensor weights = weight.unsqueeze(0).expand({input.size(0), -1, -1});
  at::Tensor output =
      at::bmm(weights, input.flatten(2))
          .view({input.size(0), weight.size(0), input.size(2), input.size(3), input.size(4)});
  if (bias) output.add_(bias->view({1, -1, 1, 1, 1}));
  return output;
}

void run_unit_convolution(torch::jit::Stack& stack) {
  const auto arguments = torch::jit::last(stack, 3);
  at::Tensor output = matrix_product(arguments[0].toTensor(), arguments[1].toTensor(),
                                     arguments[2].toOptional<at::Tensor>());
  torch::jit::drop(stack, 3);
  torch::jit::pack(stack, std::move(output));
}

void register_unit_convolutions() {
  static const torch::jit::RegisterOperators registered({torch::jit::Operator(
      "mcvol::unit_convolution(Tensor input, Tensor weight, Tensor? bias) -> Tensor",
      run_unit_convolution, c10::AliasAnalysisKind::PURE_FUNCTION)});
}

}  // namespace

void use_matrix_products(const std::shared_ptr<torch::jit::Graph>& graph) {
  register_unit_convolutions();
  for (auto iterator = graph->nodes().begin(); iterator != graph->nodes().end();) {
    Node* node = *iterator++;  // may be destroyed
    if (!is_unit_convolution(node)) continue;
    const auto groups = torch::jit::toIValue(node->input(node->inputs().size() > 7 ? 8 : 6));
    if (!groups || groups->toInt() != 1) continue;
    const torch::jit::WithInsertPoint at(node);
    const at::Tensor matrix = torch::jit::toIValue(node->input(1))->toTensor().flatten(1);
    Value* weight = graph->insertConstant(matrix.contiguous());
    Node* product = graph->create(c10::Symbol::fromQualString("mcvol::unit_convolution"), 1);
    product->copyMetadata(node);
    for (Value* value : {node->input(0), weight, node->input(2)}) product->addInput(value);
    product->insertBefore(node);
    product->output()->copyMetadata(node->output());
    node->output()->replaceAllUsesWith(product->output());
    node->destroy();
  }
}

}  // namespace mcvol
