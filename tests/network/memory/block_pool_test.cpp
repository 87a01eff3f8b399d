#include "network/memory/block_pool.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "network/memory/tensor_memory.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace mcvol {
namespace {

constexpr std::size_t kMB = std::size_t{1} << 20;

TEST(BlockPool, AlignsBlocksOfEverySizeAndGivesEachItsOwnMemory) {
  BlockPool pool;
  std::vector<std::pair<char*, std::size_t>> blocks;
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{63}, std::size_t{64}, kMB / 32 - 1,
                                  kMB / 32, kMB / 32 + 1, kMB, 3 * kMB + 7}) {
    auto* const block = static_cast<char*>(pool.take(bytes));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(block) % BlockPool::kAlignment, 0u) << bytes;
    std::memset(block, static_cast<int>(blocks.size()), bytes);
    blocks.emplace_back(block, bytes);
  }
  for (std::size_t n = 0; n < blocks.size(); ++n) {
    const auto [block, bytes] = blocks[n];
    EXPECT_EQ(std::count(block, block + bytes, static_cast<char>(n)),
              static_cast<std::ptrdiff_t>(bytes));
    pool.give(block);
  }
  EXPECT_EQ(pool.use().in_use_bytes, 0u);
}

TEST(BlockPool, HandsAFreedBlockToTheNextRequestThatFits) {
  BlockPool pool;
  void* const large = pool.take(8 * kMB);
  void* const fitting = pool.take(5 * kMB);
  void* const small = pool.take(kMB);
  for (void* const block : {large, fitting, small}) pool.give(block);
  void* const again = pool.take(4 * kMB);
  EXPECT_EQ(again, fitting);
  void* const other = pool.take(3 * kMB);  // More than half of the large one would lie idle.
  EXPECT_NE(other, large);
  pool.give(again);
  pool.give(other);
}

TEST(BlockPool, HoldsAtMostHalfMoreThanWasInUseAtATime) {
  BlockPool pool;
  for (std::size_t megabytes = 1; megabytes < 100; megabytes += 7) {
    pool.give(pool.take(megabytes * kMB));
    const BlockPool::Use use = pool.use();
    EXPECT_EQ(use.in_use_bytes, 0u);
    EXPECT_LE(use.waiting_bytes, use.most_in_use_bytes * 3 / 2);
    EXPECT_LE(use.most_in_use_bytes, megabytes * kMB * 9 / 8 + kMB / 8);
  }
  std::vector<void*> blocks;
  for (int n = 0; n < 10; ++n) blocks.push_back(pool.take(10 * kMB));
  EXPECT_GE(pool.use().in_use_bytes, 100 * kMB);
  for (void* const block : blocks) pool.give(block);
  EXPECT_GE(pool.use().waiting_bytes, 100 * kMB);
}

TEST(BlockPool, RefusesWhatNoSystemHas) {
  BlockPool pool;
  EXPECT_THROW(pool.take(std::numeric_limits<std::size_t>::max() - 8), std::bad_alloc);
  EXPECT_THROW(pool.take(std::size_t{1} << 60), std::bad_alloc);
  EXPECT_EQ(pool.use().in_use_bytes, 0u);
}

TEST(BlockPool, ServesSeveralThreadsAtOnce) {
  BlockPool pool;
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; ++number) {
    threads.emplace_back([&pool, number] {
      for (std::size_t n = 0; n < 500; ++n) {
        const std::size_t bytes = 1 + n * 997 % (kMB / 8);
        auto* const block = static_cast<char*>(pool.take(bytes));
        std::memset(block, number, bytes);
        std::this_thread::yield();
        EXPECT_EQ(block[bytes - 1], number);
        pool.give(block);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(pool.use().in_use_bytes, 0u);
}

TEST(TensorMemory, IsThatOfThePool) {
  EXPECT_TRUE(use_block_pool());
  at::Tensor tensor = at::ones({100'000});
  void* const block = tensor.data_ptr();
  tensor = at::Tensor();
  tensor = at::full({100'000}, 2.0);
  EXPECT_EQ(tensor.data_ptr(), block);
  tensor.resize_({400'000});
  EXPECT_EQ(tensor[99'999].item<float>(), 2.0F);
  EXPECT_EQ(at::empty({0}).numel(), 0);
}

}  // namespace
}  // namespace mcvol
