#pragma once

#include <cstddef>
#include <span>

#include <ATen/ATen.h>

namespace mcvol {

/// The values of a contiguous fp32 tensor on the CPU.
inline std::span<const float> floats_of(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

}  // namespace mcvol
