#include "unit_convolutions.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "network/dropout/dropout_operator.h"
#include "network/graph/pointwise.h"
#include "network/kernels/cpu/channel_kernels.h"
#include <ATen/ATen.h>
#include <ATen/Dispatch.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/runtime/custom_operator.h>

namespace mcvol {
namespace {

using torch::jit::Node;
using torch::jit::Value;

at::Tensor on_gpu(const at::Tensor& input, const at::Tensor& weight,
                  const std::optional<at::Tensor>& bias) {
  const at::Tensor weights = weight.unsqueeze(0).expand({input.size(0), -1, -1});
  at::Tensor output =
      at::bmm(weights, input.flatten(2))
          .view({input.size(0), weight.size(0), input.size(2), input.size(3), input.size(4)});
  if (bias) output.add_(bias->view({1, -1, 1, 1, 1}));
  return output;
}

/// A dropout of channels before a convolution is a change of its weights.
struct ChannelMasks {
  std::vector<MaskDraw> draws;  ///< one per row
  int layer;
  double rate;
  MaskSharing sharing;
};

/// [in, out] -> the same, the inputs that a row drops at 0.
at::Tensor masked_weights(const at::Tensor& weights, const ChannelMasks& masks, std::int64_t row) {
  const std::vector<float> factors =
      channel_factors(masks.draws[static_cast<std::size_t>(row)], masks.layer, masks.rate,
                      masks.sharing, weights.size(0));
  at::Tensor masked = at::empty_like(weights);
  AT_DISPATCH_FLOATING_TYPES_AND(at::kBFloat16, weights.scalar_type(), "masked_weights", [&] {
    const scalar_t* from = weights.const_data_ptr<scalar_t>();
    scalar_t* to = masked.data_ptr<scalar_t>();
    const std::int64_t outputs = weights.size(1);
    for (std::size_t input = 0; input < factors.size(); ++input) {
      const float factor = factors[input];
      for (std::int64_t n = 0; n < outputs; ++n) {
        *to++ = static_cast<scalar_t>(static_cast<float>(*from++) * factor);
      }
    }
  });
  return masked;
}

template <typename T>
void add_bias(at::Tensor& product, const at::Tensor& bias) {
  const std::int64_t channels = product.size(1);
  ChannelSteps<T> steps;
  const float one = 1.0F;
  const at::Tensor values = bias.to(at::kFloat);
  steps.scale = ChannelTable({&one, 1}, channels);
  steps.shift =
      ChannelTable({values.const_data_ptr<float>(), static_cast<std::size_t>(channels)}, channels);
  const std::int64_t part = voxels_at_a_time(channels);
  auto* data = static_cast<T*>(product.data_ptr());
  for (std::int64_t begin = 0; begin < product.size(0); begin += part) {
    T* const at = data + begin * channels;
    const std::int64_t count = std::min(part, product.size(0) - begin);
    apply_steps(at, at, count * channels, channels, steps);
  }
}

// input [rows, in, d0, d1, d2] with channels last, weights [in, out]. A product for each row, whose
// operands begin where in memory a row alone would begin: MKL rounds by both.
at::Tensor on_cpu(const at::Tensor& input, const at::Tensor& weights,
                  const std::optional<at::Tensor>& bias, const std::optional<ChannelMasks>& masks) {
  const std::int64_t aligned_elements = 64 / input.element_size();
  const std::int64_t rows = input.size(0), in = weights.size(0), out = weights.size(1);
  std::vector<std::int64_t> sizes = input.sizes().vec();
  sizes[1] = out;
  at::Tensor output =
      at::empty(sizes, input.options().memory_format(at::MemoryFormat::ChannelsLast3d));
  const at::Tensor voxels = input.permute({0, 2, 3, 4, 1}).reshape({rows, -1, in});
  const at::Tensor products = output.permute({0, 2, 3, 4, 1}).view({rows, -1, out});
  const std::int64_t count = voxels.size(1);
  const bool aligned = count * in % aligned_elements == 0 && count * out % aligned_elements == 0 &&
                       voxels.stride(1) == in;
  for (std::int64_t row = 0; row < rows; ++row) {
    at::Tensor product = products.select(0, row);
    const at::Tensor of_row = masks ? masked_weights(weights, *masks, row) : weights;
    if (aligned) {
      at::mm_out(product, voxels.select(0, row), of_row);
    } else {
      product.copy_(at::mm(voxels.select(0, row).clone(at::MemoryFormat::Contiguous), of_row));
    }
    if (bias && product.scalar_type() == at::kBFloat16) {
      add_bias<Bfloat16>(product, *bias);
    } else if (bias) {
      add_bias<float>(product, *bias);
    }
  }
  return output;
}

void run_unit_convolution(torch::jit::Stack& stack) {
  const auto arguments = torch::jit::last(stack, 3);
  const at::Tensor input = arguments[0].toTensor();
  const at::Tensor weight = arguments[1].toTensor();  // [out, in] on a GPU, [in, out] on a CPU
  const auto bias = arguments[2].toOptional<at::Tensor>();
  at::Tensor output =
      input.is_cuda() ? on_gpu(input, weight, bias) : on_cpu(input, weight, bias, std::nullopt);
  torch::jit::drop(stack, 3);
  torch::jit::pack(stack, std::move(output));
}

void run_masked_unit_convolution(torch::jit::Stack& stack) {
  const auto arguments = torch::jit::last(stack, 7);
  const ChannelMasks masks{read_draws(arguments[3].toTensor()),
                           static_cast<int>(arguments[5].toInt()), arguments[4].toDouble(),
                           static_cast<MaskSharing>(arguments[6].toInt())};
  at::Tensor output = on_cpu(arguments[0].toTensor(), arguments[1].toTensor(),
                             arguments[2].toOptional<at::Tensor>(), masks);
  torch::jit::drop(stack, 7);
  torch::jit::pack(stack, std::move(output));
}

void register_unit_convolutions() {
  static const torch::jit::RegisterOperators registered(
      {torch::jit::Operator(
           "mcvol::unit_convolution(Tensor input, Tensor weight, Tensor? bias) -> Tensor",
           run_unit_convolution, c10::AliasAnalysisKind::PURE_FUNCTION),
       torch::jit::Operator("mcvol::masked_unit_convolution(Tensor input, Tensor weight, "
                            "Tensor? bias, Tensor draws, float rate, int layer, int sharing) -> "
                            "Tensor",
                            run_masked_unit_convolution, c10::AliasAnalysisKind::PURE_FUNCTION)});
}

/// The dropout of channels whose result goes into this convolution and nowhere else.
Node* masks_before(const Node* convolution) {
  Node* node = convolution->input(0)->node();
  if (node->kind() != c10::Symbol::fromQualString(kDropoutOperator)) return nullptr;
  const auto form = torch::jit::toIValue(node->input(5));
  const auto sharing = torch::jit::toIValue(node->input(6));
  if (!form || form->toInt() != static_cast<std::int64_t>(DropoutForm::kInverted)) return nullptr;
  if (!sharing || static_cast<MaskSharing>(sharing->toInt()) == MaskSharing::kElement) {
    return nullptr;
  }
  return node->output()->uses().size() == 1 ? node : nullptr;
}

}  // namespace

void use_matrix_products(const std::shared_ptr<torch::jit::Graph>& graph, bool on_gpu) {
  register_unit_convolutions();
  for (auto iterator = graph->nodes().begin(); iterator != graph->nodes().end();) {
    Node* node = *iterator++;  // may be destroyed
    if (!is_unit_convolution(node)) continue;
    const auto groups = torch::jit::toIValue(node->input(node->inputs().size() > 7 ? 8 : 6));
    if (!groups || groups->toInt() != 1) continue;
    const torch::jit::WithInsertPoint at(node);
    const at::Tensor matrix = torch::jit::toIValue(node->input(1))->toTensor().flatten(1);
    Value* weight = graph->insertConstant(on_gpu ? matrix.contiguous() : matrix.t().contiguous());
    Node* masks = on_gpu ? nullptr : masks_before(node);
    Node* product = graph->create(
        c10::Symbol::fromQualString(masks != nullptr ? "mcvol::masked_unit_convolution"
                                                     : "mcvol::unit_convolution"),
        1);
    product->copyMetadata(node);
    Value* const input = masks != nullptr ? masks->input(0) : node->input(0);
    for (Value* value : {input, weight, node->input(2)}) product->addInput(value);
    if (masks != nullptr) {
      for (const std::size_t of : {1, 3, 4, 6}) product->addInput(masks->input(of));
    }
    product->insertBefore(node);
    product->output()->copyMetadata(node->output());
    node->output()->replaceAllUsesWith(product->output());
    node->destroy();
    if (masks != nullptr) masks->destroy();
  }
}

}  // namespace mcvol
