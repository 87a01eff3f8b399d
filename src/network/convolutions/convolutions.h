#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {

/// Replaces 3-D convolutions by those whose results depend neither on batch size nor on threads and
/// which have no slow path at batch 1, with channels last: in fp32 the narrow ones
/// (narrow_convolution.h), else those by Winograd's filtering (winograd_convolution.h), else
/// oneDNN's. For graphs that run on a CPU.
void use_invariant_convolutions(const std::shared_ptr<torch::jit::Graph>& graph);

/// oneDNN's convolution in bfloat16 with an fp32 bias, on a CPU and with channels last. Its
/// blocking, and with it the order of its sums, depends on how many threads it has: so each call of
/// it has one, on rows and slabs of the output that are the same for any threads.
at::Tensor bfloat16_convolution(const at::Tensor& input, const at::Tensor& weight,
                                const std::optional<at::Tensor>& bias, at::IntArrayRef padding,
                                at::IntArrayRef stride, at::IntArrayRef dilation,
                                std::int64_t groups);

/// oneDNN's on a CPU, in a layout that only the number of channels decides on, never how the input
/// happens to lie: it has other kernels for other layouts, which round otherwise.
at::Tensor onednn_convolution(const at::Tensor& input, const at::Tensor& weight,
                              const std::optional<at::Tensor>& bias, at::IntArrayRef padding,
                              at::IntArrayRef stride, at::IntArrayRef dilation,
                              std::int64_t groups);

}  // namespace mcvol
