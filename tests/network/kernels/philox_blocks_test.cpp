#include "network/kernels/cpu/philox_blocks.h"

#include <random>
#include <vector>

#include "network/kernels/on_every_variant.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

class PhiloxBlocksOnEveryVariant : public OnEveryVariant {};

TEST_P(PhiloxBlocksOnEveryVariant, AreThoseOfOneAtATime) {
  std::mt19937 generator(5);
  const auto word = [&] { return static_cast<std::uint32_t>(generator()); };
  for (int repeat = 0; repeat < 100; ++repeat) {
    std::vector<std::uint32_t> first_words(kPhiloxBlocks), words(4 * kPhiloxBlocks + 1, 77);
    for (auto& first : first_words) first = repeat % 2 == 0 ? word() : 0xFFFFFFFFu;
    const PhiloxCounter counter{word(), word(), word(), word()};
    const PhiloxKey key{word(), word()};
    fill_philox_blocks(first_words.data(), counter, key, words.data());
    for (std::size_t block = 0; block < kPhiloxBlocks; ++block) {
      const auto expected =
          philox4x32_10({first_words[block], counter[1], counter[2], counter[3]}, key);
      for (std::size_t n = 0; n < 4; ++n) ASSERT_EQ(words[4 * block + n], expected[n]);
    }
    ASSERT_EQ(words.back(), 77u);
  }
}

INSTANTIATE_TEST_SUITE_P(, PhiloxBlocksOnEveryVariant, kEveryVariant);

}  // namespace
}  // namespace mcvol
