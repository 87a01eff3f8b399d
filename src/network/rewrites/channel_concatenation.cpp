#include "channel_concatenation.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <vector>

#include "network/device/block_loop.h"
#include "network/jit/graph_nodes.h"
#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/runtime/custom_operator.h>

namespace mcvol {
namespace {

using torch::jit::Node;

/// Of each sample by itself.
bool has_channels_last(const at::Tensor& tensor) {
  return tensor.dim() == 5 && tensor.size(0) > 0 &&
         tensor.narrow(0, 0, 1).is_contiguous(at::MemoryFormat::ChannelsLast3d);
}

bool fit_together(const std::vector<at::Tensor>& tensors) {
  const at::Tensor& first = tensors.front();
  return std::all_of(tensors.begin(), tensors.end(), [&](const at::Tensor& tensor) {
    return has_channels_last(tensor) && tensor.scalar_type() == first.scalar_type() &&
           tensor.size(0) == first.size(0) && tensor.sizes().slice(2) == first.sizes().slice(2);
  });
}

at::Tensor concatenated(const std::vector<at::Tensor>& tensors) {
  if (tensors.empty() || !fit_together(tensors)) return at::cat(tensors, 1);
  std::vector<std::int64_t> sizes = tensors.front().sizes().vec();
  sizes[1] = 0;
  for (const at::Tensor& tensor : tensors) sizes[1] += tensor.size(1);
  at::Tensor output =
      at::empty(sizes, tensors.front().options().memory_format(at::MemoryFormat::ChannelsLast3d));
  const auto bytes = static_cast<std::size_t>(output.element_size());
  const auto run = static_cast<std::size_t>(sizes[1]) * bytes;
  const auto plane = static_cast<std::size_t>(sizes[3] * sizes[4]);
  auto* const target = static_cast<std::byte*>(output.data_ptr());
  for_each_block(at::kCPU, 0, sizes[0] * sizes[2], [&](std::int64_t block) {
    const std::int64_t row = block / sizes[2];
    const auto first_voxel = static_cast<std::size_t>(block % sizes[2]) * plane;
    std::byte* write = target + static_cast<std::size_t>(block) * plane * run;
    for (const at::Tensor& tensor : tensors) {
      const auto part = static_cast<std::size_t>(tensor.size(1)) * bytes;
      const std::byte* read = static_cast<const std::byte*>(tensor.const_data_ptr()) +
                              static_cast<std::size_t>(row * tensor.stride(0)) * bytes +
                              first_voxel * part;
      for (std::size_t voxel = 0; voxel < plane; ++voxel) {
        std::memcpy(write + voxel * run, read + voxel * part, part);
      }
      write += part;
    }
  });
  return output;
}

void run_concatenation(torch::jit::Stack& stack) {
  at::Tensor output = concatenated(torch::jit::pop(stack).toTensorVector());
  torch::jit::pack(stack, std::move(output));
}

void register_concatenation() {
  static const torch::jit::RegisterOperators registered(
      {torch::jit::Operator("mcvol::cat(Tensor[] tensors) -> Tensor", run_concatenation,
                            c10::AliasAnalysisKind::PURE_FUNCTION)});
}

}  // namespace

void use_channel_concatenation(const std::shared_ptr<torch::jit::Graph>& graph) {
  register_concatenation();
  for_each_node(graph->block(), [&](Node* node) {
    if (node->kind() != c10::aten::cat || writes_into_arguments(node)) return;
    const auto dim = torch::jit::toIValue(node->input(1));
    if (!dim || dim->toInt() != 1) return;
    Node* channels = graph->create(c10::Symbol::fromQualString("mcvol::cat"), 1);
    channels->copyMetadata(node);
    channels->addInput(node->input(0));
    channels->insertBefore(node);
    channels->output()->copyMetadata(node->output());
    node->output()->replaceAllUsesWith(channels->output());
    node->destroy();
  });
}

}  // namespace mcvol
