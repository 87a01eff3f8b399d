#include "transposed_convolutions.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>
#include <vector>

#include "convolutions.h"
#include "narrow_convolution.h"
#include "network/device/block_loop.h"
#include "network/device/tensor_values.h"
#include "network/jit/graph_nodes.h"
#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/runtime/custom_operator.h>

namespace mcvol {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using Triple = std::array<std::int64_t, 3>;

// Along one axis output s q + r is the sum over j of weight[k0 + s j] input[q + c - j], where
// k0 = (r + padding) mod s and c = (r + padding) div s: phase r is a convolution with every s-th
// tap, turned round.
struct Phase {
  std::int64_t first_tap;
  std::int64_t taps;
  std::int64_t shift;
};

Phase phase_of(std::int64_t r, std::int64_t stride, std::int64_t padding, std::int64_t size) {
  const std::int64_t first = (r + padding) % stride;
  return {first, first < size ? (size - first + stride - 1) / stride : 0, (r + padding) / stride};
}

Triple phase_at(std::int64_t number, const Triple& stride) {
  return {number / (stride[1] * stride[2]), number / stride[2] % stride[1], number % stride[2]};
}

struct Geometry {
  Triple kernel, stride, padding, output_padding;
};

/// weight [in, out / groups, k0, k1, k2] -> per phase [out, in / groups, taps …] or undefined where
/// no tap falls on the phase.
std::vector<at::Tensor> phase_weights(const at::Tensor& weight, const Geometry& geometry,
                                      std::int64_t groups) {
  std::vector<at::Tensor> phases;
  const auto& stride = geometry.stride;
  for (std::int64_t n = 0; n < stride[0] * stride[1] * stride[2]; ++n) {
    const Triple r = phase_at(n, stride);
    at::Tensor taps = weight;
    for (std::size_t d = 0; d < 3; ++d) {
      const Phase phase = phase_of(r[d], stride[d], geometry.padding[d], geometry.kernel[d]);
      taps = taps.slice(static_cast<std::int64_t>(d) + 2, phase.first_tap, std::nullopt, stride[d]);
    }
    if (taps.numel() == 0) {
      phases.push_back(at::empty({0}));
      continue;
    }
    const auto sizes = taps.sizes().vec();
    taps = taps.flip({2, 3, 4})
               .view({groups, sizes[0] / groups, sizes[1], sizes[2], sizes[3], sizes[4]})
               .transpose(1, 2)
               .reshape({groups * sizes[1], sizes[0] / groups, sizes[2], sizes[3], sizes[4]});
    phases.push_back(taps.contiguous());
  }
  return phases;
}

/// One phase: what it convolves with, the zeros around its input, and its part of the output.
PaddedConvolution phase_on(const at::Tensor& input, const at::Tensor& weight,
                           const Geometry& geometry, const Triple& r, const at::Tensor& part) {
  PaddedConvolution of{weight, {}, {}, part};
  for (std::size_t d = 0; d < 3; ++d) {
    const Phase phase = phase_of(r[d], geometry.stride[d], geometry.padding[d], geometry.kernel[d]);
    const auto axis = static_cast<std::int64_t>(d) + 2;
    of.front[d] = phase.taps - 1 - phase.shift;
    of.back[d] = part.size(axis) + phase.shift - input.size(axis);
  }
  return of;
}

at::Tensor run_phase(const at::Tensor& input, const PaddedConvolution& phase,
                     const std::optional<at::Tensor>& bias, std::int64_t groups) {
  const at::Tensor& weight = phase.weight;
  std::vector<std::int64_t> last_first;
  for (const std::size_t d : {2, 1, 0}) {
    last_first.push_back(phase.front[d]);
    last_first.push_back(phase.back[d]);
  }
  const bool pad = std::any_of(last_first.begin(), last_first.end(),
                               [](std::int64_t zeros) { return zeros != 0; });
  const at::Tensor padded = pad ? at::constant_pad_nd(input, last_first) : input;
  if (input.is_cuda()) {
    return at::convolution(padded, weight, bias, {1, 1, 1}, {0, 0, 0}, {1, 1, 1}, false, {0, 0, 0},
                           groups);
  }
  if (input.scalar_type() == at::kBFloat16) {
    return bfloat16_convolution(padded, weight, bias, {0, 0, 0}, {1, 1, 1}, {1, 1, 1}, groups);
  }
  return onednn_convolution(padded, weight, bias, {0, 0, 0}, {1, 1, 1}, {1, 1, 1}, groups);
}

/// Puts a phase, channels last, between the others of the output: a copy of runs of channels, for
/// which at::Tensor::copy_ takes several times as long.
void interleave(const at::Tensor& phase, at::Tensor part) {
  const at::Tensor from = phase.contiguous(at::MemoryFormat::ChannelsLast3d);
  const auto bytes = static_cast<std::int64_t>(from.element_size());
  const auto run = static_cast<std::size_t>(from.size(1) * bytes);
  const auto* source = static_cast<const std::byte*>(from.const_data_ptr());
  auto* target = static_cast<std::byte*>(part.data_ptr());
  const std::int64_t planes = from.size(2), lines = from.size(3), voxels = from.size(4);
  for_each_block(at::kCPU, 0, from.size(0) * planes, [&](std::int64_t block) {
    const std::int64_t row = block / planes, plane = block % planes;
    for (std::int64_t line = 0; line < lines; ++line) {
      const std::byte* read = source + ((row * planes + plane) * lines + line) * voxels *
                                           static_cast<std::int64_t>(run);
      std::byte* write =
          target + (row * part.stride(0) + plane * part.stride(2) + line * part.stride(3)) * bytes;
      for (std::int64_t voxel = 0; voxel < voxels; ++voxel) {
        std::memcpy(write, read, run);
        read += run;
        write += part.stride(4) * bytes;
      }
    }
  });
}

at::Tensor transposed_convolution(const at::Tensor& input, const std::vector<at::Tensor>& weights,
                                  const std::optional<at::Tensor>& bias, const Geometry& geometry,
                                  std::int64_t channels, std::int64_t groups) {
  Triple size;
  for (std::size_t d = 0; d < 3; ++d) {
    size[d] = (input.size(static_cast<std::int64_t>(d) + 2) - 1) * geometry.stride[d] -
              2 * geometry.padding[d] + geometry.kernel[d] + geometry.output_padding[d];
  }
  const Triple& stride = geometry.stride;
  const auto layout =
      input.is_cuda() ? at::MemoryFormat::Contiguous : at::MemoryFormat::ChannelsLast3d;
  at::Tensor output = at::empty({input.size(0), channels, size[0], size[1], size[2]},
                                input.options().memory_format(layout));
  std::vector<PaddedConvolution> phases;
  for (std::size_t n = 0; n < weights.size(); ++n) {
    const Triple r = phase_at(static_cast<std::int64_t>(n), stride);
    at::Tensor part = output;
    for (std::size_t d = 0; d < 3; ++d) {
      part = part.slice(static_cast<std::int64_t>(d) + 2, r[d], std::nullopt, stride[d]);
    }
    if (part.numel() == 0) continue;
    if (weights[n].numel() > 0) {
      phases.push_back(phase_on(input, weights[n], geometry, r, part));
    } else if (bias) {
      part.copy_(bias->view({1, -1, 1, 1, 1}).expand(part.sizes()));
    } else {
      part.zero_();
    }
  }
  const auto narrow = [&](const PaddedConvolution& phase) {
    return is_narrow(input, phase.weight, bias, groups);
  };
  if (std::any_of(phases.begin(), phases.end(), narrow)) {
    run_narrow(input, phases, bias, {1, 1, 1});
    return output;
  }
  for (PaddedConvolution& phase : phases) {
    const at::Tensor result = run_phase(input, phase, bias, groups);
    if (input.is_cuda()) {
      phase.output.copy_(result);
    } else {
      interleave(result, phase.output);
    }
  }
  return output;
}

// input, phase weights, bias, kernel, stride, padding, output_padding, channels, groups
void run_transposed_convolution(torch::jit::Stack& stack) {
  const auto arguments = torch::jit::last(stack, 9);
  const Geometry geometry = {triple_of(arguments[3]), triple_of(arguments[4]),
                             triple_of(arguments[5]), triple_of(arguments[6])};
  at::Tensor output = transposed_convolution(arguments[0].toTensor(), arguments[1].toTensorVector(),
                                             arguments[2].toOptional<at::Tensor>(), geometry,
                                             arguments[7].toInt(), arguments[8].toInt());
  torch::jit::drop(stack, 9);
  torch::jit::pack(stack, std::move(output));
}

void register_transposed_convolution() {
  static const torch::jit::RegisterOperators registered({torch::jit::Operator(
      "mcvol::transposed_convolution(Tensor input, Tensor[] weights, Tensor? bias, int[] kernel, "
      "int[] stride, int[] padding, int[] output_padding, int channels, int groups) -> Tensor",
      run_transposed_convolution, c10::AliasAnalysisKind::PURE_FUNCTION)});
}

/// Where the arguments of either spelling of a transposed convolution stand.
struct Arguments {
  std::size_t stride = 3, padding = 4, output_padding, groups, dilation;
};

std::optional<Arguments> arguments_of(const Node* node) {
  if (node->kind() == c10::Symbol::fromQualString("aten::conv_transpose3d")) {
    return Arguments{.output_padding = 5, .groups = 6, .dilation = 7};
  }
  if (node->kind() != c10::aten::_convolution &&
      node->kind() != c10::Symbol::fromQualString("aten::convolution")) {
    return std::nullopt;
  }
  const auto transposed = torch::jit::toIValue(node->input(6));
  if (!transposed || !transposed->toBool()) return std::nullopt;
  return Arguments{.output_padding = 7, .groups = 8, .dilation = 5};
}

/// Of others PyTorch says what is wrong; too many phases are not worth it.
bool has_usual_strides(const Node* node, const Arguments& at) {
  constexpr std::int64_t kMostStride = 16;
  const Triple stride = triple_of(*torch::jit::toIValue(node->input(at.stride)));
  const Triple padding = triple_of(*torch::jit::toIValue(node->input(at.padding)));
  const Triple more = triple_of(*torch::jit::toIValue(node->input(at.output_padding)));
  for (std::size_t d = 0; d < 3; ++d) {
    if (stride[d] < 1 || stride[d] > kMostStride || padding[d] < 0) return false;
    if (more[d] < 0 || more[d] >= stride[d]) return false;
  }
  return true;
}

bool can_be_replaced(const Node* node, const Arguments& at) {
  for (const std::size_t input :
       {std::size_t{1}, at.stride, at.padding, at.output_padding, at.groups, at.dilation}) {
    if (!torch::jit::toIValue(node->input(input))) return false;
  }
  const at::Tensor weight = torch::jit::toIValue(node->input(1))->toTensor();
  const auto dilation = torch::jit::toIValue(node->input(at.dilation))->toIntVector();
  return weight.dim() == 5 && weight.scalar_type() == at::kFloat && has_usual_strides(node, at) &&
         std::all_of(dilation.begin(), dilation.end(), [](std::int64_t d) { return d == 1; });
}

void replace(const std::shared_ptr<Graph>& graph, Node* node, const Arguments& at) {
  const auto constant = [&](std::size_t input) {
    return *torch::jit::toIValue(node->input(input));
  };
  const at::Tensor weight = constant(1).toTensor();
  const std::int64_t groups = constant(at.groups).toInt();
  const Triple kernel = {weight.size(2), weight.size(3), weight.size(4)};
  const Geometry geometry = {kernel, triple_of(constant(at.stride)),
                             triple_of(constant(at.padding)),
                             triple_of(constant(at.output_padding))};
  const torch::jit::WithInsertPoint point(node);
  Node* phases = graph->create(c10::Symbol::fromQualString("mcvol::transposed_convolution"), 1);
  phases->copyMetadata(node);
  phases->addInput(node->input(0));
  std::vector<torch::jit::Value*> weights;
  for (const at::Tensor& of_phase : phase_weights(weight, geometry, groups)) {
    weights.push_back(graph->insertConstant(of_phase));
  }
  Node* list = graph->createList(c10::TensorType::get(), weights);
  phases->addInput(graph->insertNode(list)->output());
  phases->addInput(node->input(2));
  for (const Triple& triple :
       {kernel, geometry.stride, geometry.padding, geometry.output_padding}) {
    phases->addInput(
        graph->insertConstant(std::vector<std::int64_t>(triple.begin(), triple.end())));
  }
  phases->addInput(graph->insertConstant(weight.size(1) * groups));
  phases->addInput(graph->insertConstant(groups));
  phases->insertBefore(node);
  phases->output()->copyMetadata(node->output());
  node->output()->replaceAllUsesWith(phases->output());
  node->destroy();
}

}  // namespace

void use_phase_convolutions(const std::shared_ptr<Graph>& graph) {
  register_transposed_convolution();
  for_each_node(graph->block(), [&](Node* node) {
    const auto arguments = arguments_of(node);
    if (arguments && can_be_replaced(node, *arguments)) replace(graph, node, *arguments);
  });
}

}  // namespace mcvol
