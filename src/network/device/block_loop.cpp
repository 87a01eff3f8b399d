#include "block_loop.h"

#include "serial_section.h"
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

namespace mcvol {

void for_each_block(c10::Device device, std::int64_t begin, std::int64_t end,
                    const std::function<void(std::int64_t)>& task) {
  const auto run = [&](std::int64_t first, std::int64_t last) {
    const c10::InferenceMode inference;  // thread-local
    const SerialSection serial;
    for (std::int64_t block = first; block < last; ++block) task(block);
  };
  if (device.is_cpu()) {
    at::parallel_for(begin, end, 1, run);
  } else {
    run(begin, end);
  }
}

}  // namespace mcvol
