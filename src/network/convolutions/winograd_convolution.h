#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include <ATen/ATen.h>

namespace mcvol {

/// Whether winograd_convolution() can make a convolution on a CPU, and sooner than oneDNN does
/// (measured with AVX2 on two cores): in fp32, of stride and dilation 1, one group, a kernel
/// k0 x k1 x 3 of 9 weights and more across, at least 4 channels, k0 k1 channels up to 1152, and
/// planes of at least 48 fours of voxels. By the shape of one row alone: which way is taken may
/// change neither with a batch nor with threads.
/// @param weight [outputs, channels, k0, k1, k2]
bool is_for_winograd(const at::Tensor& input, const at::Tensor& weight,
                     const std::optional<at::Tensor>& bias,
                     const std::array<std::int64_t, 3>& padding,
                     const std::array<std::int64_t, 3>& stride,
                     const std::array<std::int64_t, 3>& dilation, std::int64_t groups);

/// With channels last; rounding is up to eight times that of sums made one by one.
at::Tensor winograd_convolution(const at::Tensor& input, const at::Tensor& weight,
                                const std::optional<at::Tensor>& bias,
                                const std::array<std::int64_t, 3>& padding);

}  // namespace mcvol
