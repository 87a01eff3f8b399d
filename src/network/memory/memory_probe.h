#pragma once

#include <cstdint>
#include <functional>

#include <c10/core/Device.h>

namespace mcvol {

/// The most bytes of tensors on the device that `work` had in use at one time over what there was
/// before it, as ATen's allocators report them to this thread. It must not free what it did not
/// make.
std::int64_t peak_bytes(c10::Device device, const std::function<void()>& work);

}  // namespace mcvol
