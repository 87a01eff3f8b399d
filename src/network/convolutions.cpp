#include "convolutions.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "block_loop.h"
#include "channel_kernels.h"
#include "dropout_operator.h"
#include "graph_nodes.h"
#include "narrow_convolution.h"
#include "pointwise.h"
#include "winograd_convolution.h"
#include <ATen/ATen.h>
#include <ATen/Dispatch.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/runtime/custom_operator.h>

namespace mcvol {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

std::array<std::int64_t, 3> triple_of(const c10::IValue& value) {
  const auto list = value.toIntVector();
  std::array<std::int64_t, 3> triple;
  for (std::size_t d = 0; d < 3; ++d) triple[d] = list.at(list.size() == 1 ? 0 : d);
  return triple;
}

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

/// oneDNN's, channels last: twice as fast as planar where channels are few or in bfloat16.
at::Tensor onednn_convolution(const at::Tensor& input, const at::Tensor& weight,
                              const std::optional<at::Tensor>& bias, at::IntArrayRef padding,
                              at::IntArrayRef stride, at::IntArrayRef dilation,
                              std::int64_t groups) {
  // A single channel is planar and channels last at once, and oneDNN would round by which of them
  // its strides look like.
  if (weight.size(1) == 1) {
    at::Tensor planar = input.contiguous();
    planar = planar.as_strided(planar.sizes(), c10::contiguous_strides(planar.sizes()));
    return at::mkldnn_convolution(planar, weight, bias, padding, stride, dilation, groups);
  }
  return at::mkldnn_convolution(input.contiguous(at::MemoryFormat::ChannelsLast3d), weight, bias,
                                padding, stride, dilation, groups);
}

/// oneDNN 3.10 gives wrong numbers in bfloat16 where strides leave one voxel along the last axis.
bool is_wrong_in_onednn(const at::Tensor& input, const at::Tensor& weight, at::IntArrayRef padding,
                        at::IntArrayRef stride, at::IntArrayRef dilation) {
  if (input.scalar_type() == at::kFloat) return false;
  const std::int64_t reach = dilation.back() * (weight.size(4) - 1) + 1;
  return stride.back() > 1 && input.size(4) + 2 * padding.back() - reach < stride.back();
}

at::Tensor in_fp32(const at::Tensor& input, const at::Tensor& weight,
                   const std::optional<at::Tensor>& bias, at::IntArrayRef padding,
                   at::IntArrayRef stride, at::IntArrayRef dilation, std::int64_t groups) {
  return onednn_convolution(input.to(at::kFloat), weight.to(at::kFloat), bias, padding, stride,
                            dilation, groups)
      .to(input.scalar_type());
}

/// The planes `begin` to `end` - 1 along the first axis, zeros where there are none.
at::Tensor planes_of(const at::Tensor& row, std::int64_t begin, std::int64_t end) {
  const std::int64_t first = std::max<std::int64_t>(begin, 0);
  const std::int64_t last = std::min(end, row.size(2));
  if (first == begin && last == end) return row.narrow(2, begin, end - begin);
  std::vector<std::int64_t> sizes = row.sizes().vec();
  sizes[2] = end - begin;
  at::Tensor planes =
      at::zeros(sizes, row.options().memory_format(at::MemoryFormat::ChannelsLast3d));
  if (first < last)
    planes.narrow(2, first - begin, last - first).copy_(row.narrow(2, first, last - first));
  return planes;
}

void run_convolution(torch::jit::Stack& stack) {
  const auto arguments = torch::jit::last(stack, 7);
  const at::Tensor input = arguments[0].toTensor();
  const at::Tensor weight = arguments[1].toTensor();
  const auto bias = arguments[2].toOptional<at::Tensor>();
  const auto padding = triple_of(arguments[3]);
  const auto stride = triple_of(arguments[4]);
  const auto dilation = triple_of(arguments[5]);
  const std::int64_t groups = arguments[6].toInt();
  constexpr std::array<std::int64_t, 3> kEveryVoxel = {1, 1, 1};
  at::Tensor output;
  if (input.scalar_type() == at::kBFloat16) {
    output = bfloat16_convolution(input, weight, bias, padding, stride, dilation, groups);
  } else if (stride == kEveryVoxel && is_narrow(input, weight, groups)) {
    output = narrow_convolution(input, weight, bias, padding, dilation);
  } else if (is_for_winograd(input, weight, padding, stride, dilation, groups)) {
    output = winograd_convolution(input, weight, bias, padding);
  } else {
    output = onednn_convolution(input, weight, bias, padding, stride, dilation, groups);
  }
  torch::jit::drop(stack, 7);
  torch::jit::pack(stack, std::move(output));
}

void register_convolution() {
  static const torch::jit::RegisterOperators registered({torch::jit::Operator(
      "mcvol::convolution(Tensor input, Tensor weight, Tensor? bias, int[] padding, "
      "int[] stride, int[] dilation, int groups) -> Tensor",
      run_convolution, c10::AliasAnalysisKind::PURE_FUNCTION)});
}

}  // namespace

at::Tensor bfloat16_convolution(const at::Tensor& input, const at::Tensor& weight,
                                const std::optional<at::Tensor>& bias, at::IntArrayRef padding,
                                at::IntArrayRef stride, at::IntArrayRef dilation,
                                std::int64_t groups) {
  if (is_wrong_in_onednn(input, weight, padding, stride, dilation)) {
    return in_fp32(input, weight, bias, padding, stride, dilation, groups);
  }
  // Less, and laying out the weights anew for each costs more than the products.
  constexpr std::int64_t kSlabVoxels = 4096;
  constexpr std::int64_t kMostSlabs = 32;
  std::vector<std::int64_t> sizes = {input.size(0), weight.size(0)};
  for (std::size_t d = 0; d < 3; ++d) {
    const auto axis = static_cast<std::int64_t>(d) + 2;
    const std::int64_t reach = dilation[d] * (weight.size(axis) - 1) + 1;
    sizes.push_back((input.size(axis) + 2 * padding[d] - reach) / stride[d] + 1);
  }
  const std::int64_t planes = sizes[2];
  const std::int64_t fitting = planes * sizes[3] * sizes[4] / kSlabVoxels;
  const std::int64_t slabs = std::clamp<std::int64_t>(fitting, 1, std::min(planes, kMostSlabs));
  const std::int64_t height = (planes + slabs - 1) / slabs;
  const std::int64_t reach = dilation[0] * (weight.size(2) - 1) + 1;
  const at::Tensor rows = input.contiguous(at::MemoryFormat::ChannelsLast3d);
  at::Tensor output =
      at::empty(sizes, input.options().memory_format(at::MemoryFormat::ChannelsLast3d));
  for_each_block(at::kCPU, 0, sizes[0] * slabs, [&](std::int64_t task) {
    const std::int64_t row = task / slabs;
    const std::int64_t begin = task % slabs * height;
    const std::int64_t end = std::min(begin + height, planes);
    if (begin >= end) return;
    const std::int64_t first = begin * stride[0] - padding[0];
    const at::Tensor part =
        planes_of(rows.narrow(0, row, 1), first, first + (end - 1 - begin) * stride[0] + reach);
    output.narrow(0, row, 1)
        .narrow(2, begin, end - begin)
        .copy_(onednn_convolution(part, weight, bias, {0, padding[1], padding[2]}, stride, dilation,
                                  groups));
  });
  return output;
}

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

void use_onednn_convolutions(const std::shared_ptr<Graph>& graph) {
  register_convolution();
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
    Node* convolution = graph->create(c10::Symbol::fromQualString("mcvol::convolution"), 1);
    convolution->copyMetadata(node);
    convolution->insertBefore(node);
    const torch::jit::WithInsertPoint at(convolution);
    const auto layout = weight->toTensor().size(1) == 1 ? at::MemoryFormat::Contiguous
                                                        : at::MemoryFormat::ChannelsLast3d;
    Value* laid = graph->insertConstant(weight->toTensor().contiguous(layout));
    const std::size_t groups = plain ? 6 : 8;
    for (Value* input : {node->input(0), laid, node->input(2), node->input(4), node->input(3),
                         node->input(5), node->input(groups)}) {
      convolution->addInput(input);
    }
    convolution->output()->copyMetadata(node->output());
    node->output()->replaceAllUsesWith(convolution->output());
    node->destroy();
  });
}

}  // namespace mcvol
