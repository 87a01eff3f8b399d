#include "mcvol/random/philox.h"

#include <set>

#include <gtest/gtest.h>

namespace mcvol {
namespace {

// The philox4x32 10 lines of kat_vectors, the known answers distributed with Random123.
TEST(Philox, ReproducesTheKnownAnswersOfRandom123) {
  EXPECT_EQ(philox4x32_10({0, 0, 0, 0}, {0, 0}),
            (PhiloxCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox4x32_10({kOnes, kOnes, kOnes, kOnes}, {kOnes, kOnes}),
            (PhiloxCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(
      philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
      (PhiloxCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, IsKnownAtCompileTime) {
  static_assert(philox4x32_10({0, 0, 0, 0}, {0, 0})[0] == 0x6627e8d5);
}

TEST(Philox, EveryWordOfCounterAndKeyMatters) {
  const PhiloxCounter counter{1, 2, 3, 4};
  const PhiloxKey key{5, 6};
  std::set<PhiloxCounter> blocks{philox4x32_10(counter, key)};
  for (std::size_t word = 0; word < counter.size(); ++word) {
    PhiloxCounter changed = counter;
    changed[word] ^= 1;
    blocks.insert(philox4x32_10(changed, key));
  }
  for (std::size_t word = 0; word < key.size(); ++word) {
    PhiloxKey changed = key;
    changed[word] ^= 1;
    blocks.insert(philox4x32_10(counter, changed));
  }
  EXPECT_EQ(blocks.size(), 1 + counter.size() + key.size());
}

}  // namespace
}  // namespace mcvol
