// Whether masks of different passes, layers, windows, seeds, members, sharings, channels and
// elements are independent (docs/masks.md). Seeds are fixed: a test always gives the same answer.
// With a random seed, a correct generator would fail a family of comparisons with probability 1e-6
// (Bonferroni); each test lists its families. Two masks are compared over 2^19 to 2^20 pairs of
// bits that share none: a correlation of 0.01 is found.

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "network/dropout/dropout_mask.h"
#include "network/support/mask_samples.h"
#include "network/support/statistical_checks.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::Bits;
using testing::Comparisons;
using testing::keep_bits;
using testing::kRates;
using testing::kSharings;
using testing::MaskPlace;

using Words = std::vector<std::uint32_t>;

void add_pairs(Comparisons& comparisons, const std::string& name, const testing::PairCounts& pairs,
               double rate) {
  const std::string where = name + " at rate " + std::to_string(rate);
  comparisons.add("correlation, " + where, testing::p_of_correlation(pairs, rate));
  comparisons.add("2x2 table, " + where, testing::p_of_table(pairs, rate));
}

void add_words(Comparisons& comparisons, const std::string& name, const Words& first,
               const Words& second) {
  for (const double rate : kRates) {
    const std::uint64_t threshold = keep_threshold(rate);
    add_pairs(comparisons, name,
              testing::count_pairs(keep_bits(first, threshold), keep_bits(second, threshold)),
              rate);
  }
}

struct Neighbours {
  std::string name;
  MaskPlace first;
  MaskPlace second;
};

MaskPlace place(MaskSharing sharing) {
  return {.draw = {.seed = 977, .member = 1, .pass = 100, .window = {12, 0, -1}},
          .layer = 3,
          .sharing = sharing};
}

std::vector<Neighbours> layers_members_and_seeds(MaskSharing sharing) {
  std::vector<Neighbours> all;
  const auto add = [&](const char* name, auto&& change) {
    MaskPlace there = place(sharing);
    change(there);
    all.push_back({name, place(sharing), there});
  };
  add("next layer", [](MaskPlace& there) { there.layer += 1; });
  add("layer 64 further", [](MaskPlace& there) { there.layer += 64; });
  add("next member", [](MaskPlace& there) { there.draw.member += 1; });
  add("next seed", [](MaskPlace& there) { there.draw.seed += 1; });
  add("seed 2^32 further", [](MaskPlace& there) { there.draw.seed += std::uint64_t{1} << 32; });
  add("next layer and pass before", [](MaskPlace& there) {
    there.layer += 1;
    there.draw.pass -= 1;
  });
  add("next member and layer before", [](MaskPlace& there) {
    there.draw.member += 1;
    there.layer -= 1;
  });
  add("next seed and pass before", [](MaskPlace& there) {
    there.draw.seed += 1;
    there.draw.pass -= 1;
  });
  return all;
}

// Corners one voxel apart along an axis and across zero, mirrored along an axis, with axes
// exchanged, and with the same sum of two coordinates.
std::vector<Neighbours> windows(MaskSharing sharing) {
  using Corner = std::array<std::int32_t, 3>;
  const std::pair<Corner, Corner> corners[] = {
      {{12, 0, -1}, {13, 0, -1}},     {{12, 0, -1}, {12, 1, -1}},
      {{12, 0, -1}, {12, 0, 0}},      {{0, 0, 0}, {-1, 0, 0}},
      {{-7, -8, -9}, {-7, -8, -10}},  {{5, -6, 7}, {-5, -6, 7}},
      {{5, -6, 7}, {5, 6, 7}},        {{5, -6, 7}, {5, -6, -7}},
      {{90, 120, 60}, {120, 90, 60}}, {{90, 120, 60}, {90, 60, 120}},
      {{90, 120, 60}, {60, 120, 90}}, {{4, 5, 6}, {5, 4, 6}},
      {{4, 5, 6}, {4, 6, 5}},         {{4, 5, 6}, {5, 5, 5}}};
  std::vector<Neighbours> all;
  for (const auto& [first, second] : corners) {
    Neighbours pair{"windows " + std::to_string(all.size()), place(sharing), place(sharing)};
    pair.first.draw.window = first;
    pair.second.draw.window = second;
    all.push_back(pair);
  }
  return all;
}

Comparisons compare(const std::vector<Neighbours>& all) {
  Comparisons comparisons(testing::kFalseAlarmRate);
  for (const Neighbours& pair : all) {
    const testing::SampleSize size = testing::sample_size(pair.first.sharing);
    add_words(comparisons, pair.name, testing::mask_words(pair.first, size),
              testing::mask_words(pair.second, size));
  }
  return comparisons;
}

class MaskIndependence : public ::testing::TestWithParam<testing::NamedSharing> {};

INSTANTIATE_TEST_SUITE_P(Sharings, MaskIndependence, ::testing::ValuesIn(kSharings),
                         [](const auto& sharing) {
                           std::string name;
                           for (const char c : std::string(sharing.param.name)) {
                             if (c != ' ') name += c;
                           }
                           return name;
                         });

// A family of 80 for each sharing: 8 pairs of masks, 5 rates; correlation and table.
TEST_P(MaskIndependence, HoldsBetweenLayersMembersAndSeeds) {
  EXPECT_EQ(compare(layers_members_and_seeds(GetParam().sharing)).rejected(),
            testing::kNoneRejected);
}

// A family of 40 for each sharing: even against odd passes, and passes 2^8, 2^16 and 2^31 apart.
TEST_P(MaskIndependence, HoldsBetweenPasses) {
  const MaskPlace here = place(GetParam().sharing);
  testing::SampleSize size = testing::sample_size(here.sharing);
  Comparisons comparisons(testing::kFalseAlarmRate);
  for (const std::uint32_t distance : {1u, 1u << 8, 1u << 16, 1u << 31}) {
    MaskPlace later = here;
    later.draw.pass += distance;
    // steps that keep the pairs apart
    const std::uint32_t step = distance < size.passes ? 2 * distance : 1;
    add_words(comparisons, std::to_string(distance) + " passes later",
              testing::mask_words(here, size, step), testing::mask_words(later, size, step));
  }
  EXPECT_EQ(comparisons.rejected(), testing::kNoneRejected);
}

// A family of 140 for each sharing: 14 pairs of windows.
TEST(WindowMasks, AreIndependentBetweenWindows) {
  for (const auto sharing : {MaskSharing::kWindowChannel, MaskSharing::kElement}) {
    EXPECT_EQ(compare(windows(sharing)).rejected(), testing::kNoneRejected);
  }
}

TEST(WindowMasks, OfWholeChannelsAreTheSameForAllWindowsUnderChannelSharingOnly) {
  for (const Neighbours& pair : windows(MaskSharing::kChannel)) {
    EXPECT_EQ(testing::mask_words(pair.first, {500, 64}),
              testing::mask_words(pair.second, {500, 64}));
  }
  // 3,584 words, the same by chance with 2^-32 each: any of them with 8e-7.
  for (const Neighbours& pair : windows(MaskSharing::kWindowChannel)) {
    const Words first = testing::mask_words(pair.first, {4, 64});
    const Words second = testing::mask_words(pair.second, {4, 64});
    for (std::size_t i = 0; i < first.size(); ++i) EXPECT_NE(first[i], second[i]);
  }
}

// A family of 30: 3 pairs of sharings, over the same passes and indices.
TEST(MaskSharings, AreIndependentOfEachOther) {
  constexpr testing::SampleSize kSize{.passes = 4096, .words_per_pass = 256};
  std::vector<Words> words;
  for (const auto& named : kSharings) {
    words.push_back(testing::mask_words(place(named.sharing), kSize));
  }
  Comparisons comparisons(testing::kFalseAlarmRate);
  add_words(comparisons, "channel, window and channel", words[0], words[1]);
  add_words(comparisons, "channel, element", words[0], words[2]);
  add_words(comparisons, "window and channel, element", words[1], words[2]);
  EXPECT_EQ(comparisons.rejected(), testing::kNoneRejected);
}

Comparisons at_lags(const Words& words, const std::vector<std::size_t>& lags, std::size_t block) {
  Comparisons comparisons(testing::kFalseAlarmRate);
  for (const double rate : kRates) {
    const Bits bits = keep_bits(words, keep_threshold(rate));
    for (const std::size_t lag : lags) {
      add_pairs(comparisons, "lag " + std::to_string(lag),
                testing::count_pairs_at_lag(bits, lag, block), rate);
    }
  }
  return comparisons;
}

// A family of 60 for each sharing: 6 lags.
TEST(ChannelMasks, AreIndependentBetweenChannels) {
  for (const auto sharing : {MaskSharing::kChannel, MaskSharing::kWindowChannel}) {
    const Words words = testing::mask_words(place(sharing), {32768, 64});
    EXPECT_EQ(at_lags(words, {1, 2, 3, 4, 8, 32}, 64).rejected(), testing::kNoneRejected);
  }
}

// Activations of 16 channels of 18 x 20 x 24.
const std::vector<std::size_t> kElementLags = {1, 2, 3, 4, 24, 20 * 24, 18 * 20 * 24};
constexpr testing::SampleSize kActivations{.passes = 16, .words_per_pass = 16 * 18 * 20 * 24};

// A family of 70: neighbours along a row, one row, one plane and one channel away.
TEST(ElementMasks, AreIndependentBetweenElements) {
  const Words words = testing::mask_words(place(MaskSharing::kElement), kActivations);
  EXPECT_EQ(at_lags(words, kElementLags, kActivations.words_per_pass).rejected(),
            testing::kNoneRejected);
}

// Wrong generators, to the same checks.

TEST(MaskIndependenceRejects, OneStreamForTwoLayers) {
  const MaskPlace here = place(MaskSharing::kElement);
  EXPECT_EQ(compare({{"same", here, here}}).rejected().size(), 10u);
}

// A hundredth of one layer's bits taken from the other: only a correlation of 0.01.
TEST(MaskIndependenceRejects, LayersThatShareAHundredthOfTheirDraws) {
  const auto all = layers_members_and_seeds(MaskSharing::kChannel);
  const auto size = testing::sample_size(MaskSharing::kChannel);
  const Words first = testing::mask_words(all[0].first, size);
  Words second = testing::mask_words(all[0].second, size);
  for (std::size_t i = 0; i < first.size(); i += 100) second[i] = first[i];
  Comparisons comparisons(testing::kFalseAlarmRate);
  add_words(comparisons, "mixed", first, second);
  EXPECT_EQ(comparisons.rejected().size(), 10u);
}

TEST(MaskIndependenceRejects, OppositeMasksOfTwoWindows) {
  const Words first = testing::mask_words(place(MaskSharing::kElement), {64, 16384});
  Words second = first;
  for (std::uint32_t& word : second) word = ~word;
  Comparisons comparisons(testing::kFalseAlarmRate);
  add_words(comparisons, "opposite", first, second);
  EXPECT_EQ(comparisons.rejected().size(), 10u);
}

// Each channel of an activation a copy of the one before, as if elements counted within a channel.
TEST(MaskIndependenceRejects, ElementsThatStartAnewInEachChannel) {
  constexpr std::size_t kChannel = 18 * 20 * 24;
  Words words = testing::mask_words(place(MaskSharing::kElement), kActivations);
  for (std::size_t start = 0; start < words.size(); start += kActivations.words_per_pass) {
    for (std::size_t i = start + kChannel; i < start + kActivations.words_per_pass; ++i) {
      words[i] = words[i - kChannel];
    }
  }
  EXPECT_EQ(at_lags(words, {kChannel}, kActivations.words_per_pass).rejected().size(), 10u);
}

}  // namespace
}  // namespace mcvol
