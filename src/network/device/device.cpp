#include "device.h"

#include "mcvol/error/error.h"
#include "mcvol/network/segmenter/device_name.h"

#include <filesystem>
#include <optional>

#include "cuda_kernels.h"
#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>

namespace mcvol {
namespace {

// libtorch_cuda.so registers itself with the library that is already loaded, so it must be the one
// beside it.
std::string open_cuda_library() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&at::globalContext), &info) == 0 ||
      info.dli_fname == nullptr) {
    return "LibTorch's folder is not known";
  }
  const std::filesystem::path library =
      std::filesystem::path(info.dli_fname).parent_path() / "libtorch_cuda.so";
  if (dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr) return {};
  const char* reason = dlerror();
  return std::string("LibTorch's CUDA library does not load (") +
         (reason != nullptr ? reason : "no reason given") +
         "); run scripts/setup.sh --gpu on a machine with a GPU";
}

bool has_driver() { return std::filesystem::exists("/proc/driver/nvidia/version"); }

// Why CUDA cannot be used; empty when it can.
std::string why_no_cuda() {
  if (!has_driver()) return "no NVIDIA driver on this machine";
  static const std::string load_problem = open_cuda_library();
  if (!load_problem.empty()) return load_problem;
  if (!at::hasCUDA()) return "no GPU that CUDA can use (is the driver R580 or newer?)";
  return {};
}

/// Also where another program has taken all of its memory.
std::string why_no_kernels(c10::Device device) {
  try {
    CudaKernels::on(device);
    return {};
  } catch (const Error& error) {
    return error.what();
  } catch (const std::exception& error) {
    const std::string text = error.what();
    return device.str() + " cannot be used: " + text.substr(0, text.find('\n'));
  }
}

}  // namespace

DeviceChoice choose_device(const std::string& wanted) {
  const std::optional<int> index = gpu_named(wanted);
  if (!index) return {c10::Device(c10::kCPU), "cpu", {}, {}};
  std::string problem = why_no_cuda();
  if (problem.empty()) {
    const auto count = at::detail::getCUDAHooks().deviceCount();
    if (*index >= count) {
      problem = "GPU " + std::to_string(*index) + " is not there, this machine has " +
                std::to_string(count);
    }
  }
  const c10::Device device(c10::kCUDA, static_cast<c10::DeviceIndex>(*index));
  if (problem.empty()) problem = why_no_kernels(device);
  if (problem.empty()) {
    // fp32 means fp32: by default cuDNN rounds what it multiplies to ten bits of mantissa.
    at::globalContext().setAllowTF32CuDNN(false);
    at::globalContext().setAllowTF32CuBLAS(false);
    at::globalContext().setDeterministicCuDNN(true);
    return {device, device.str(), {}, {}};
  }
  if (wanted == "auto") {
    const std::string reason = "Runs on the CPU: " + problem + ".";
    return {c10::Device(c10::kCPU), "cpu", {reason}, has_driver() ? reason : ""};
  }
  throw Error("--device " + wanted + ": " + problem + "; use --device cpu");
}

}  // namespace mcvol
