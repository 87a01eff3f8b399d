#pragma once

#include <cstdint>
#include <functional>

namespace mcvol {

/// The most bytes of tensors on the CPU that `work` had in use at one time over what there was
/// before it, as ATen's allocator reports them to this thread. It must not free what it did not
/// make.
std::int64_t peak_bytes(const std::function<void()>& work);

}  // namespace mcvol
