#pragma once

#include <cstdint>
#include <functional>

#include <c10/core/Device.h>

namespace mcvol {

/// Runs `task` for begin <= block < end: on a CPU the blocks share the threads and each runs on one
/// alone, so that results do not depend on how many there are; on a GPU one by one. What a task
/// throws is thrown on.
void for_each_block(c10::Device device, std::int64_t begin, std::int64_t end,
                    const std::function<void(std::int64_t)>& task);

}  // namespace mcvol
