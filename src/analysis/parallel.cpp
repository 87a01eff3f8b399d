#include "mcvol/analysis/parallel.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace mcvol {

void for_each_parallel(std::size_t count, int threads,
                       const std::function<void(std::size_t number)>& work) {
  std::atomic<std::size_t> next{0};
  std::exception_ptr error;
  std::mutex guard;
  const auto run = [&] {
    for (std::size_t number = next++; number < count; number = next++) {
      try {
        work(number);
      } catch (...) {
        const std::scoped_lock lock(guard);
        if (!error) error = std::current_exception();
        next = count;
      }
    }
  };
  std::vector<std::thread> others;
  const auto wanted = std::min(static_cast<std::size_t>(std::max(threads, 1)), count);
  try {
    for (std::size_t n = 1; n < wanted; ++n) others.emplace_back(run);
  } catch (const std::system_error&) {
    // A limit on processes: it works with those there are.
  }
  run();
  for (std::thread& other : others) other.join();
  if (error) std::rethrow_exception(error);
}

}  // namespace mcvol
