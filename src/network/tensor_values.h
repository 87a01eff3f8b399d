#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include <ATen/ATen.h>

namespace mcvol {

/// The values of a contiguous fp32 tensor on the CPU.
inline std::span<const float> floats_of(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

/// A bias as floats_of() reads it: what a network was saved with may be a view of something larger.
inline std::optional<at::Tensor> laid_out(const std::optional<at::Tensor>& bias) {
  return bias ? std::optional(bias->contiguous()) : std::nullopt;
}

/// Whether a convolution of one group takes this input, so that kernels which do not look again may
/// make it; of what is not so, PyTorch's say what is wrong.
inline bool channels_match(const at::Tensor& input, const at::Tensor& weight) {
  return input.dim() == 5 && weight.dim() == 5 && input.size(1) == weight.size(1);
}

}  // namespace mcvol
