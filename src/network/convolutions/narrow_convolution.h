#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include <ATen/ATen.h>

namespace mcvol {

/// Whether a convolution on a CPU has so few output channels that most of a vector of channels
/// would be empty: voxels then fill vectors instead. Of stride 1, in fp32.
bool is_narrow(const at::Tensor& input, const at::Tensor& weight,
               const std::optional<at::Tensor>& bias, std::int64_t groups);

/// A narrow convolution of a batch, or one of several whose results lie between each other.
struct PaddedConvolution {
  using Triple = std::array<std::int64_t, 3>;

  at::Tensor weight;  ///< [outputs, channels, k0, k1, k2]
  Triple front;       ///< zeros before the input along each axis; less than none cuts off
  Triple back;        ///< zeros after it
  at::Tensor output;  ///< [rows, outputs, …], channels side by side
};

/// All of one input in one go.
/// @param input [rows, channels, d0, d1, d2] in fp32.
/// @param bias [outputs] or none.
void run_narrow(const at::Tensor& input, std::span<const PaddedConvolution> convolutions,
                const std::optional<at::Tensor>& bias, const PaddedConvolution::Triple& dilation);

/// With channels last.
at::Tensor narrow_convolution(const at::Tensor& input, const at::Tensor& weight,
                              const std::optional<at::Tensor>& bias,
                              const std::array<std::int64_t, 3>& padding,
                              const std::array<std::int64_t, 3>& dilation);

}  // namespace mcvol
