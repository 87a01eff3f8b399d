#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <ATen/ATen.h>
#include <ATen/core/ivalue.h>

namespace mcvol {

/// The values of a contiguous fp32 tensor on the CPU.
inline std::span<const float> floats_of(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

/// None as an operator is given it.
inline std::optional<at::Tensor> optional_tensor(const c10::IValue& value) {
  if (value.isNone() || !value.toTensor().defined()) return std::nullopt;
  return value.toTensor();
}

/// Whether a table has a value for each channel, so that kernels which do not look again may read
/// it; of what is not so, PyTorch's operators say what is wrong. None fits.
inline bool fits_channels(const std::optional<at::Tensor>& table, std::int64_t channels) {
  return !table || (table->dim() == 1 && table->size(0) == channels);
}

/// The same of a slope below 0, of which one may stand for all.
inline bool slope_fits(const std::optional<at::Tensor>& slope, std::int64_t channels) {
  return !slope || (slope->dim() <= 1 && (slope->numel() == channels || slope->numel() == 1));
}

/// A convolution's stride, padding or dilation, of which one number stands for three.
inline std::array<std::int64_t, 3> triple_of(const c10::IValue& value) {
  const auto list = value.toIntVector();
  std::array<std::int64_t, 3> triple{};
  for (std::size_t d = 0; d < 3; ++d) triple[d] = list.at(list.size() == 1 ? 0 : d);
  return triple;
}

/// A bias as floats_of() reads it: what a network was saved with may be a view of something larger.
inline std::optional<at::Tensor> laid_out(const std::optional<at::Tensor>& bias) {
  return bias ? std::optional(bias->contiguous()) : std::nullopt;
}

/// Whether a convolution of one group takes this input and bias, so that kernels which do not look
/// again may make it; of what is not so, PyTorch's say what is wrong.
inline bool operands_match(const at::Tensor& input, const at::Tensor& weight,
                           const std::optional<at::Tensor>& bias) {
  return input.dim() == 5 && weight.dim() == 5 && input.size(1) == weight.size(1) &&
         (!bias || (bias->dim() == 1 && bias->size(0) == weight.size(0)));
}

/// Whether a convolution of stride 1 adds zeros, if any, and gives voxels; likewise.
inline bool geometry_fits(const at::Tensor& input, const at::Tensor& weight,
                          const std::array<std::int64_t, 3>& padding,
                          const std::array<std::int64_t, 3>& dilation) {
  for (std::size_t d = 0; d < 3; ++d) {
    const auto axis = static_cast<std::int64_t>(d) + 2;
    const std::int64_t reach = dilation[d] * (weight.size(axis) - 1);
    if (padding[d] < 0 || input.size(axis) + 2 * padding[d] <= reach) return false;
  }
  return true;
}

}  // namespace mcvol
