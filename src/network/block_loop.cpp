#include "block_loop.h"

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

// MKL's own; weak, since a LibTorch for another processor comes without it.
extern "C" int MKL_Set_Num_Threads_Local(int threads) __attribute__((weak));

namespace mcvol {
namespace {

/// While it lives, matrix products of this thread run on this thread alone: MKL, which LibTorch
/// brings, cuts them up by the number of threads, and every cut rounds differently.
class SingleThreadedProducts {
 public:
  SingleThreadedProducts() : before_(set(1)) {}
  ~SingleThreadedProducts() { set(before_); }
  SingleThreadedProducts(const SingleThreadedProducts&) = delete;
  SingleThreadedProducts& operator=(const SingleThreadedProducts&) = delete;

 private:
  static int set(int threads) {
    return MKL_Set_Num_Threads_Local != nullptr ? MKL_Set_Num_Threads_Local(threads) : 0;
  }
  int before_;
};

}  // namespace

void for_each_block(c10::Device device, std::int64_t begin, std::int64_t end,
                    const std::function<void(std::int64_t)>& task) {
  const auto run = [&](std::int64_t first, std::int64_t last) {
    const c10::InferenceMode inference;  // thread-local
    const SingleThreadedProducts products;
    for (std::int64_t block = first; block < last; ++block) task(block);
  };
  if (device.is_cpu()) {
    at::parallel_for(begin, end, 1, run);
  } else {
    run(begin, end);
  }
}

}  // namespace mcvol
