#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include <ATen/ATen.h>

namespace mcvol {

/// Whether winograd_convolution() can make a convolution on a CPU, and sooner than oneDNN does: in
/// fp32, of stride and dilation 1, one group, a kernel three wide along the last axis, some 4 to
/// 128 channels and planes that are not tiny (measured with AVX2).
/// @param weight [outputs, channels, k0, k1, k2]
bool is_for_winograd(const at::Tensor& input, const at::Tensor& weight,
                     const std::array<std::int64_t, 3>& padding,
                     const std::array<std::int64_t, 3>& stride,
                     const std::array<std::int64_t, 3>& dilation, std::int64_t groups);

/// With channels last; rounding is within a few times that of the sums themselves.
at::Tensor winograd_convolution(const at::Tensor& input, const at::Tensor& weight,
                                const std::optional<at::Tensor>& bias,
                                const std::array<std::int64_t, 3>& padding);

}  // namespace mcvol
