#include "convolutions.h"

#include <optional>
#include <vector>

#include "graph_nodes.h"
#include "pointwise.h"
#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/runtime/custom_operator.h>

namespace mcvol {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

// weight [out, in], input [batch, in, d0, d1, d2] -> [batch, out, d0, d1, d2]. A product for each
// row of the batch, whose operands begin where in memory a row alone would begin: MKL rounds by
// both. On a GPU one batched product.
at::Tensor unit_convolution(const at::Tensor& input, const at::Tensor& weight,
                            const std::optional<at::Tensor>& bias) {
  if (input.is_cuda()) {
    const at::Tensor weights = weight.unsqueeze(0).expand({input.size(0), -1, -1});
    at::Tensor output =
        at::bmm(weights, input.flatten(2))
            .view({input.size(0), weight.size(0), input.size(2), input.size(3), input.size(4)});
    if (bias) output.add_(bias->view({1, -1, 1, 1, 1}));
    return output;
  }
  constexpr std::int64_t kAlignedFloats = 16;
  std::vector<std::int64_t> sizes = input.sizes().vec();
  sizes[1] = weight.size(0);
  at::Tensor output = at::empty(sizes, input.options());
  const at::Tensor voxels = input.flatten(2);
  const at::Tensor products = output.flatten(2);
  const bool aligned = voxels.size(2) % kAlignedFloats == 0;
  for (std::int64_t row = 0; row < input.size(0); ++row) {
    at::Tensor product = products.select(0, row);
    if (aligned) {
      at::mm_out(product, weight, voxels.select(0, row));
    } else {
      product.copy_(at::mm(weight, voxels.select(0, row).clone()));
    }
  }
  if (bias) output.add_(bias->view({1, -1, 1, 1, 1}));
  return output;
}

void run_unit_convolution(torch::jit::Stack& stack) {
  const auto arguments = torch::jit::last(stack, 3);
  at::Tensor output = unit_convolution(arguments[0].toTensor(), arguments[1].toTensor(),
                                       arguments[2].toOptional<at::Tensor>());
  torch::jit::drop(stack, 3);
  torch::jit::pack(stack, std::move(output));
}

void register_unit_convolution() {
  static const torch::jit::RegisterOperators registered({torch::jit::Operator(
      "mcvol::unit_convolution(Tensor input, Tensor weight, Tensor? bias) -> Tensor",
      run_unit_convolution, c10::AliasAnalysisKind::PURE_FUNCTION)});
}

}  // namespace

void use_matrix_products(const std::shared_ptr<torch::jit::Graph>& graph) {
  register_unit_convolution();
  for (auto iterator = graph->nodes().begin(); iterator != graph->nodes().end();) {
    Node* node = *iterator++;  // may be destroyed
    if (!is_unit_convolution(node)) continue;
    const auto groups = torch::jit::toIValue(node->input(node->inputs().size() > 7 ? 8 : 6));
    if (!groups || groups->toInt() != 1) continue;
    const torch::jit::WithInsertPoint at(node);
    Value* weight = graph->insertConstant(
        torch::jit::toIValue(node->input(1))->toTensor().flatten(1).contiguous());
    Node* product = graph->create(c10::Symbol::fromQualString("mcvol::unit_convolution"), 1);
    product->copyMetadata(node);
    for (Value* input : {node->input(0), weight, node->input(2)}) product->addInput(input);
    product->insertBefore(node);
    product->output()->copyMetadata(node->output());
    node->output()->replaceAllUsesWith(product->output());
    node->destroy();
  }
}

void use_onednn_convolutions(const std::shared_ptr<Graph>& graph) {
  // Inputs: input, weight, bias, stride, padding, dilation, then groups (conv3d) or transposed,
  // output_padding, groups (convolution, _convolution).
  for_each_node(graph->block(), [&](Node* node) {
    const bool plain = node->kind() == c10::aten::conv3d;
    if (!plain && node->kind() != c10::aten::_convolution &&
        node->kind() != c10::Symbol::fromQualString("aten::convolution")) {
      return;
    }
    const auto weight = torch::jit::toIValue(node->input(1));
    const auto padding = torch::jit::toIValue(node->input(4));
    if (!weight || !weight->isTensor() || weight->toTensor().dim() != 5) return;
    if (weight->toTensor().scalar_type() != at::kFloat) return;
    if (!padding || !padding->isIntList()) return;
    if (!plain) {
      const auto transposed = torch::jit::toIValue(node->input(6));
      if (!transposed || transposed->toBool()) return;
    }
    Node* convolution = graph->create(c10::Symbol::fromQualString("aten::mkldnn_convolution"), 1);
    convolution->copyMetadata(node);
    convolution->insertBefore(node);
    const std::size_t groups = plain ? 6 : 8;
    for (const std::size_t input : {std::size_t{0}, std::size_t{1}, std::size_t{2}, std::size_t{4},
                                    std::size_t{3}, std::size_t{5}, groups}) {
      convolution->addInput(node->input(input));
    }
    convolution->output()->copyMetadata(node->output());
    node->output()->replaceAllUsesWith(convolution->output());
    node->destroy();
  });
}

}  // namespace mcvol
