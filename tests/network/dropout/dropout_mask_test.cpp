#include "network/dropout/dropout_mask.h"

#include <cmath>
#include <numeric>
#include <random>
#include <set>
#include <vector>

#include "network/kernels/cpu/channel_kernels.h"
#include "network/kernels/cpu/philox_blocks.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

constexpr MaskDraw kDraw{
    .seed = 0x0123456789ABCDEFu, .member = 3, .pass = 7, .window = {-5, 12, 90}};

// The layout of docs/masks.md, spelled out: it must never change, or calibrations lose their masks.
TEST(MaskStream, ChannelWordsFollowTheWrittenBitLayout) {
  const MaskStream stream(kDraw, 11, MaskSharing::kChannel);
  for (std::uint64_t channel : {0u, 1u, 2u, 3u, 4u, 63u}) {
    const PhiloxCounter counter = {static_cast<std::uint32_t>(channel / 4), 7, 11, 3};
    EXPECT_EQ(stream.word(channel),
              philox4x32_10(counter, {0x89ABCDEFu, 0x01234567u})[channel % 4]);
  }
}

TEST(MaskStream, ElementWordsUseAKeyDerivedFromTheWindow) {
  const PhiloxCounter window = {static_cast<std::uint32_t>(-5), 12, 90, 0x57494E44u};
  const PhiloxCounter key = philox4x32_10(window, {0x89ABCDEFu, 0x01234567u});
  const MaskStream stream(kDraw, 11, MaskSharing::kElement);
  const PhiloxCounter counter = {1000000, 7, 11, 3 | (2u << 16)};
  EXPECT_EQ(stream.word(4000002), philox4x32_10(counter, {key[0], key[1]})[2]);
}

TEST(MaskStream, FillingARangeGivesTheSameWordsAsAskingOneByOne) {
  const MaskStream stream(kDraw, 2, MaskSharing::kElement);
  for (std::uint64_t first : {0u, 1u, 3u, 64u, 12345u}) {
    std::vector<std::uint32_t> words(1 + first % 200 + 61);
    stream.fill(first, words);
    for (std::size_t i = 0; i < words.size(); ++i) EXPECT_EQ(words[i], stream.word(first + i));
  }
}

TEST(PhiloxBlocks, AreThoseOfOneAtATime) {
  const PhiloxKey key = {0x89ABCDEFu, 0xFFFFFFFFu};
  for (const std::uint32_t first : {0u, 77u, 0xFFFFFFF5u}) {
    std::vector<std::uint32_t> blocks(kPhiloxBlocks), words(4 * kPhiloxBlocks);
    std::iota(blocks.begin(), blocks.end(), first);
    blocks.back() = 5;
    fill_philox_blocks(blocks.data(), {0, 7, 0xFFFFFFFFu, 0x80000003u}, key, words.data());
    for (std::size_t block = 0; block < kPhiloxBlocks; ++block) {
      const auto expected = philox4x32_10({blocks[block], 7, 0xFFFFFFFFu, 0x80000003u}, key);
      for (std::size_t n = 0; n < 4; ++n) EXPECT_EQ(words[4 * block + n], expected[n]);
    }
  }
}

TEST(FactorsOfWords, AreChosenWordByWordWithChannelsLast) {
  std::mt19937 generator(1);
  constexpr float kKept = 1.25F;
  for (const std::int64_t channels : {1, 3, 4, 16, 25}) {
    for (const std::int64_t voxels : {1, 4, 6, 64}) {
      std::vector<std::uint32_t> words(static_cast<std::size_t>(channels * voxels));
      for (auto& word : words) word = static_cast<std::uint32_t>(generator());
      for (const std::uint64_t threshold : {std::uint64_t{0}, std::uint64_t{words.front()},
                                            std::uint64_t{0xFFFFFFFFu}, std::uint64_t{1} << 32}) {
        std::vector<float> factors(words.size() + 1, -1.0F);
        factors_of_words(words, voxels, channels, threshold, kKept, factors.data());
        for (std::size_t n = 0; n < words.size(); ++n) {
          const std::size_t voxel = n % static_cast<std::size_t>(voxels);
          const std::size_t channel = n / static_cast<std::size_t>(voxels);
          EXPECT_EQ(factors[voxel * static_cast<std::size_t>(channels) + channel],
                    words[n] >= threshold ? kKept : 0.0F);
        }
        EXPECT_EQ(factors.back(), -1.0F);
      }
    }
  }
}

TEST(MaskStream, ChannelMasksIgnoreTheWindowAndTheOthersDoNot) {
  MaskDraw elsewhere = kDraw;
  elsewhere.window = {40, 12, 90};
  const auto word = [](const MaskDraw& draw, MaskSharing sharing) {
    return MaskStream(draw, 0, sharing).word(0);
  };
  EXPECT_EQ(word(kDraw, MaskSharing::kChannel), word(elsewhere, MaskSharing::kChannel));
  EXPECT_NE(word(kDraw, MaskSharing::kWindowChannel), word(elsewhere, MaskSharing::kWindowChannel));
  EXPECT_NE(word(kDraw, MaskSharing::kElement), word(elsewhere, MaskSharing::kElement));
}

TEST(MaskStream, EveryKeyedFieldChangesTheWords) {
  std::set<std::uint32_t> words;
  for (std::uint64_t seed : {0ull, 1ull, 1ull << 32}) {
    for (int member : {0, 1}) {
      for (std::uint32_t pass : {0u, 1u}) {
        for (int layer : {0, 1}) {
          const MaskDraw draw{.seed = seed, .member = member, .pass = pass};
          for (auto sharing :
               {MaskSharing::kChannel, MaskSharing::kWindowChannel, MaskSharing::kElement}) {
            words.insert(MaskStream(draw, layer, sharing).word(0));
          }
        }
      }
    }
  }
  EXPECT_EQ(words.size(), 3u * 2 * 2 * 2 * 3);
}

TEST(KeepThreshold, IsTheRateInUnitsOfTwoToTheMinus32) {
  EXPECT_EQ(keep_threshold(0.0), 0u);
  EXPECT_EQ(keep_threshold(0.5), std::uint64_t{1} << 31);
  EXPECT_EQ(keep_threshold(1.0), std::uint64_t{1} << 32);
}

// 4,000,000 draws at rate 0.3: SD of the dropped share is 2.3e-4; 5 SD is a false alarm in 1.7e6
// seeds, and this seed is fixed.
TEST(KeepThreshold, DropsTheStatedShare) {
  std::vector<std::uint32_t> words(4000000);
  MaskStream({.seed = 42}, 0, MaskSharing::kElement).fill(0, words);
  const std::uint64_t threshold = keep_threshold(0.3);
  double dropped = 0;
  for (const std::uint32_t word : words) dropped += word < threshold ? 1 : 0;
  EXPECT_NEAR(dropped / 4e6, 0.3, 5 * std::sqrt(0.3 * 0.7 / 4e6));
}

}  // namespace
}  // namespace mcvol
