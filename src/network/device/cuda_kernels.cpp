#include "cuda_kernels.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "network/kernels/cuda/kernel_source.h"
#include <ATen/Context.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

namespace mcvol {
namespace {

// What is used of NVRTC and of the driver, declared here since building needs no CUDA toolkit. Both
// interfaces are stable: functions keep their signature, changed ones get a new name.
struct Libraries {
  using Result = int;
  using Program = void*;
  Result (*nvrtcCreateProgram)(Program*, const char*, const char*, int, const char* const*,
                               const char* const*);
  Result (*nvrtcCompileProgram)(Program, int, const char* const*);
  Result (*nvrtcGetProgramLogSize)(Program, std::size_t*);
  Result (*nvrtcGetProgramLog)(Program, char*);
  Result (*nvrtcGetCUBINSize)(Program, std::size_t*);
  Result (*nvrtcGetCUBIN)(Program, char*);
  Result (*nvrtcDestroyProgram)(Program*);
  Result (*cuGetErrorString)(Result, const char**);
  Result (*cuDeviceGetAttribute)(int*, int, int);
  Result (*cuModuleLoadData)(void**, const void*);
  Result (*cuModuleGetFunction)(void**, void*, const char*);
  Result (*cuLaunchKernel)(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                           unsigned, void*, void**, void**);
};

template <typename Function>
void find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (function == nullptr) {
    throw device_error(std::string("the GPU's libraries have no ") + name +
                       "; run scripts/setup.sh --gpu");
  }
}

// Beside LibTorch's libraries, which it belongs to; linked with NVRTC and the driver.
Libraries open_libraries() {
  Dl_info info{};
  if (dladdr(reinterpret_cast<const void*>(&at::globalContext), &info) == 0) info.dli_fname = "";
  const auto file = std::filesystem::path(info.dli_fname).parent_path() / "libcaffe2_nvrtc.so";
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    throw device_error(std::string("the run-time compiler does not load (") + dlerror() +
                       "); run scripts/setup.sh --gpu");
  }
  Libraries found{};
  find(library, "nvrtcCreateProgram", found.nvrtcCreateProgram);
  find(library, "nvrtcCompileProgram", found.nvrtcCompileProgram);
  find(library, "nvrtcGetProgramLogSize", found.nvrtcGetProgramLogSize);
  find(library, "nvrtcGetProgramLog", found.nvrtcGetProgramLog);
  find(library, "nvrtcGetCUBINSize", found.nvrtcGetCUBINSize);
  find(library, "nvrtcGetCUBIN", found.nvrtcGetCUBIN);
  find(library, "nvrtcDestroyProgram", found.nvrtcDestroyProgram);
  find(library, "cuGetErrorString", found.cuGetErrorString);
  find(library, "cuDeviceGetAttribute", found.cuDeviceGetAttribute);
  find(library, "cuModuleLoadData", found.cuModuleLoadData);
  find(library, "cuModuleGetFunction", found.cuModuleGetFunction);
  find(library, "cuLaunchKernel", found.cuLaunchKernel);
  return found;
}

const Libraries& libraries() {
  static const Libraries opened = open_libraries();
  return opened;
}

void check(Libraries::Result result, const std::string& what) {
  if (result == 0) return;
  const char* reason = nullptr;
  libraries().cuGetErrorString(result, &reason);
  throw device_error(
      what + " failed: " + (reason != nullptr ? reason : "error " + std::to_string(result)));
}

int compute_capability(int device) {
  constexpr int kMajor = 75;  // CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR
  int major = 0, minor = 0;
  check(libraries().cuDeviceGetAttribute(&major, kMajor, device), "asking what it can");
  check(libraries().cuDeviceGetAttribute(&minor, kMajor + 1, device), "asking what it can");
  return 10 * major + minor;
}

std::vector<char> compile(int device) {
  const Libraries& own = libraries();
  const std::string architecture =
      "--gpu-architecture=sm_" + std::to_string(compute_capability(device));
  const std::array<const char*, 3> options = {architecture.c_str(), "--std=c++17", "--fmad=false"};
  Libraries::Program program = nullptr;
  own.nvrtcCreateProgram(&program, kKernelSource, "kernels.cu", 0, nullptr, nullptr);
  if (own.nvrtcCompileProgram(program, static_cast<int>(options.size()), options.data()) != 0) {
    std::size_t size = 0;
    own.nvrtcGetProgramLogSize(program, &size);
    std::string log(size, '\0');
    own.nvrtcGetProgramLog(program, log.data());
    throw device_error("the run-time compiler refuses the kernels (" + architecture +
                       "): " + log.substr(0, log.find('\n')));
  }
  std::size_t size = 0;
  own.nvrtcGetCUBINSize(program, &size);
  std::vector<char> code(size);
  own.nvrtcGetCUBIN(program, code.data());
  own.nvrtcDestroyProgram(&program);
  return code;
}

}  // namespace

Error device_error(const std::string& what) { return Error("CUDA error: " + what); }

struct CudaKernels::Module {
  void* handle = nullptr;  ///< stays loaded as long as the process
  mutable std::map<std::string, void*> functions;
  mutable std::mutex mutex;

  void* function(const std::string& name) const {
    const std::scoped_lock lock(mutex);
    void*& found = functions[name];
    if (found == nullptr) {
      check(libraries().cuModuleGetFunction(&found, handle, name.c_str()), "kernel " + name);
    }
    return found;
  }
};

const CudaKernels& CudaKernels::on(c10::Device device) {
  static std::mutex mutex;
  static std::map<c10::DeviceIndex, std::pair<std::unique_ptr<Module>, CudaKernels>> made;
  const std::scoped_lock lock(mutex);
  const auto found = made.find(device.index());
  if (found != made.end()) return found->second.second;
  // LibTorch's first tensor there makes the context that the module belongs to; while the guard
  // lives it is the one in use, whichever GPU is LibTorch's default.
  const c10::DeviceGuard guard(device);
  at::empty({1}, at::TensorOptions().device(device));
  auto module = std::make_unique<Module>();
  const std::vector<char> code = compile(device.index());
  check(libraries().cuModuleLoadData(&module->handle, code.data()), "loading kernels");
  const CudaKernels kernels(device, module.get());
  return made.emplace(device.index(), std::pair(std::move(module), kernels)).first->second.second;
}

void CudaKernels::launch_with(const std::string& kernel, const Shape& shape,
                              void** arguments) const {
  if (shape.blocks_x == 0 || shape.blocks_y == 0) return;
  const c10::DeviceGuard guard(device_);
  const c10::impl::VirtualGuardImpl streams(c10::kCUDA);
  void* stream = streams.getStreamNativeHandle(streams.getStream(device_));
  check(libraries().cuLaunchKernel(module_->function(kernel), static_cast<unsigned>(shape.blocks_x),
                                   static_cast<unsigned>(shape.blocks_y), 1,
                                   static_cast<unsigned>(shape.threads), 1, 1, 0, stream, arguments,
                                   nullptr),
        "kernel " + kernel);
}

std::int64_t CudaKernels::blocks_for(std::int64_t count) {
  constexpr std::int64_t kThreads = 256, kMostBlocks = 4096;
  return std::min(kMostBlocks, (count + kThreads - 1) / kThreads);
}

std::string kernel_name(const char* kind, c10::ScalarType type) {
  switch (type) {
    case at::kFloat:
      return std::string(kind) + "_float";
    case at::kHalf:
      return std::string(kind) + "_half";
    case at::kBFloat16:
      return std::string(kind) + "_bfloat16";
    default:
      TORCH_CHECK(false, "activations of ", type, " on a GPU; expected float, half or bfloat16");
  }
}

std::int64_t free_device_bytes(c10::Device device) {
  auto* allocator = c10::getDeviceAllocator(device.type());
  allocator->emptyCache();
  return static_cast<std::int64_t>(allocator->getMemoryInfo(device.index()).first);
}

}  // namespace mcvol
