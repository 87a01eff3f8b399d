#include "convolutions.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "narrow_convolution.h"
#include "network/device/block_loop.h"
#include "network/device/tensor_values.h"
#include "network/jit/graph_nodes.h"
#include "winograd_convolution.h"
#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/runtime/custom_operator.h>

namespace mcvol {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

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
  if (input.dim() != 5) {  // without a batch, or refused
    output = at::conv3d(input, weight, bias, stride, padding, dilation, groups);
  } else if (input.scalar_type() == at::kBFloat16) {
    output = bfloat16_convolution(input, weight, bias, padding, stride, dilation, groups);
  } else if (stride == kEveryVoxel && is_narrow(input, weight, bias, groups) &&
             geometry_fits(input, weight, padding, dilation)) {
    output = narrow_convolution(input, weight, bias, padding, dilation);
  } else if (is_for_winograd(input, weight, bias, padding, stride, dilation, groups)) {
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

// Channels last: twice as fast as planar where channels are few or in bfloat16.
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
  // Nor by the strides of a batch of one, which may be anything.
  at::Tensor laid = input.contiguous(at::MemoryFormat::ChannelsLast3d);
  if (laid.dim() == 5) {
    laid = laid.as_strided(laid.sizes(), c10::get_channels_last_strides_3d(laid.sizes()));
  }
  return at::mkldnn_convolution(laid, weight, bias, padding, stride, dilation, groups);
}

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

void use_invariant_convolutions(const std::shared_ptr<Graph>& graph) {
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
