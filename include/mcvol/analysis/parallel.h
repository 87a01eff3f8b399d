#pragma once

#include <cstddef>
#include <functional>

namespace mcvol {

/// Calls `work` once for each number below `count`, on several threads. The first error is thrown
/// once all have stopped.
void for_each_parallel(std::size_t count, int threads,
                       const std::function<void(std::size_t number)>& work);

}  // namespace mcvol
