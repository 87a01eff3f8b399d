#pragma once

#include "mcvol/error/error.h"

#include <array>
#include <cstdint>
#include <string>

#include <ATen/ATen.h>

namespace mcvol {

/// What fails in a GPU, its driver or CUDA's compiler. Thrown within an operator, it comes out of
/// the interpreter as any other error: device_failure() (graph_runner.h) knows it by its text.
Error device_error(const std::string& what);

/// The kernels of kernels/*.cu on one GPU, compiled when first asked for. Launches go to LibTorch's
/// current stream, so they are in order with its operators.
class CudaKernels {
 public:
  /// Of a GPU that choose_device() has opened.
  /// @throws Error where NVRTC or the driver cannot make them, saying why.
  static const CudaKernels& on(c10::Device device);

  static constexpr std::int64_t kMostBlocksY = 65535;
  struct Shape {
    std::int64_t blocks_x = 1;
    std::int64_t blocks_y = 1;  ///< at most kMostBlocksY
    int threads = 256;
  };
  /// @param arguments pointers to the kernel's parameters, in order.
  /// @throws Error where the launch fails.
  template <typename... Arguments>
  void launch(const std::string& kernel, const Shape& shape, Arguments... arguments) const {
    std::array<void*, sizeof...(Arguments)> pointers = {&arguments...};
    launch_with(kernel, shape, pointers.data());
  }

  /// Blocks of 256 threads for `count` items, no more than fill the largest GPUs several times.
  static std::int64_t blocks_for(std::int64_t count);

 private:
  struct Module;
  CudaKernels(c10::Device device, const Module* module) : device_(device), module_(module) {}
  void launch_with(const std::string& kernel, const Shape& shape, void** arguments) const;

  c10::Device device_;
  const Module* module_;
};

/// `kind`_float, _half or _bfloat16.
std::string kernel_name(const char* kind, c10::ScalarType type);

/// Memory of a GPU that nobody has taken, in bytes, and what LibTorch holds unused.
std::int64_t free_device_bytes(c10::Device device);

}  // namespace mcvol
