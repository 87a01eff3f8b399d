#pragma once

#include <string>
#include <vector>

#include <c10/core/Device.h>

namespace mcvol {

/// The device a run uses and, for `auto`, why it is not a GPU.
struct DeviceChoice {
  c10::Device device{c10::kCPU};
  std::string description;         ///< "cpu", "cuda:0"
  std::vector<std::string> notes;  ///< why `auto` takes the CPU
  std::string warning;             ///< the same where there is a GPU, which the user may miss
};

/// Resolves auto, cpu, cuda or cuda:N. Opens LibTorch's CUDA library when a GPU may be used: call
/// before anything else of ATen.
/// @throws UsageError for another word; Error where the device asked for is not there, saying why.
DeviceChoice choose_device(const std::string& wanted);

}  // namespace mcvol
