#include "network/device/block_loop.h"

#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

namespace mcvol {
namespace {

std::set<std::thread::id> threads_of_blocks(int threads) {
  at::set_num_threads(threads);
  std::mutex mutex;
  std::set<std::thread::id> seen;
  for_each_block(at::kCPU, 0, 12, [&](std::int64_t) {
    const std::scoped_lock lock(mutex);
    seen.insert(std::this_thread::get_id());
  });
  return seen;
}

TEST(BlockLoop, HasAsManyThreadsAsItIsGiven) {
  for (const int threads : {1, 2, 3}) {
    EXPECT_EQ(threads_of_blocks(threads).size(), static_cast<std::size_t>(threads));
  }
}

TEST(BlockLoop, ThreadsThatWorkInItStartNoOthers) {
  at::set_num_threads(3);
  for_each_block(at::kCPU, 0, 6, [&](std::int64_t) {
    const auto own = std::this_thread::get_id();
    for_each_block(at::kCPU, 0, 4,
                   [&](std::int64_t) { EXPECT_EQ(std::this_thread::get_id(), own); });
  });
  EXPECT_EQ(at::get_num_threads(), 3);
}

TEST(BlockLoop, ThrowsOnWhatABlockThrows) {
  for (const int threads : {1, 3}) {
    at::set_num_threads(threads);
    EXPECT_THROW(for_each_block(at::kCPU, 0, 9,
                                [](std::int64_t block) {
                                  if (block == 7) throw std::runtime_error("7");
                                }),
                 std::runtime_error);
    EXPECT_EQ(at::get_num_threads(), threads);
  }
}

}  // namespace
}  // namespace mcvol
