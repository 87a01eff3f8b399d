// Whether the draws of dropout masks are uniform and independent, as docs/masks.md says. Seeds are
// fixed: a test always gives the same answer. With a random seed, a correct generator would fail a
// test with probability 1e-6 (Bonferroni over its comparisons, listed at each); where a rate is
// skewed, the normal tail is exact to a factor of about 2. A test named Rejects… feeds a generator
// that is wrong to the check of the test before it.

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include "network/dropout/dropout_mask.h"
#include "network/support/mask_samples.h"
#include "network/support/statistical_checks.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::Bits;
using testing::Comparisons;
using testing::kRates;
using testing::kSharings;

constexpr MaskDraw kMemberDraw{.seed = 20240611, .member = 2, .pass = 0, .window = {-3, 40, 7}};

using Words = std::vector<std::uint32_t>;

Words sample(MaskSharing sharing, int layer = 4) {
  return testing::mask_words({kMemberDraw, layer, sharing}, testing::sample_size(sharing));
}

std::string at_rate(const char* what, double rate) {
  return std::string(what) + " at rate " + std::to_string(rate);
}

// Tables of the distributions (NIST/SEMATECH e-Handbook, 1.3.6.7): upper 0.001 of chi-square.
TEST(StatisticalChecks, TailsAgreeWithPublishedTables) {
  EXPECT_NEAR(testing::p_of_z(1.959964), 0.05, 1e-7);
  EXPECT_NEAR(testing::p_of_z(-3.290527), 0.001, 1e-8);
  EXPECT_NEAR(testing::p_of_chi_square(10.828, 1), 0.001, 1e-6);
  EXPECT_NEAR(testing::p_of_chi_square(16.266, 3), 0.001, 1e-6);
  EXPECT_NEAR(testing::p_of_chi_square(37.697, 15), 0.001, 1e-6);
  EXPECT_NEAR(testing::p_of_chi_square(149.449, 100), 0.001, 1e-6);
}

TEST(StatisticalChecks, PairsAtALagShareNoBit) {
  const Bits bits = {1, 1, 0, 1, 0, 0, 1, 1, /**/ 0, 0, 0, 1, 1, 1, 1, 0};
  // (0, 2), (1, 3), (4, 6), (5, 7) of each block of eight
  EXPECT_EQ(testing::count_pairs_at_lag(bits, 2, 8), (testing::PairCounts{{{1, 3}, {2, 2}}}));
}

// 2^24 words a sharing: what a rate off by 1 % of itself needs to be seen at rate 0.05.
Comparisons keep_rates(double relative_error) {
  Comparisons comparisons(testing::kFalseAlarmRate);
  for (const auto& [sharing, name] : kSharings) {
    testing::SampleSize size = testing::sample_size(sharing);
    size.passes *= 16;
    const Words words = testing::mask_words({kMemberDraw, 0, sharing}, size);
    for (const double rate : kRates) {
      const std::uint64_t threshold = keep_threshold(rate * (1.0 + relative_error));
      std::size_t kept = 0;
      for (const std::uint32_t word : words) kept += word >= threshold ? 1 : 0;
      comparisons.add(
          at_rate(name, rate),
          testing::p_of_kept(static_cast<double>(kept), static_cast<double>(words.size()), rate));
    }
  }
  return comparisons;
}

// 15 comparisons: 3 sharings, 5 rates.
TEST(DropoutMasks, KeepTheStatedShare) {
  EXPECT_EQ(keep_rates(0.0).rejected(), testing::kNoneRejected);
}

TEST(DropoutMasks, RejectsEveryRateThatIsOffByOnePercent) {
  EXPECT_EQ(keep_rates(0.01).rejected().size(), 15u);
}

void add_uniformity(Comparisons& comparisons, const std::string& name, const Words& words) {
  std::vector<double> high(256), low(256);
  const std::vector<double> expected(256, static_cast<double>(words.size()) / 256);
  for (const std::uint32_t word : words) {
    high[word >> 24] += 1;
    low[word & 255] += 1;
  }
  comparisons.add(name + ", top 8 bits", testing::p_of_counts(high, expected));
  comparisons.add(name + ", low 8 bits", testing::p_of_counts(low, expected));
  comparisons.add(name + ", largest gap", testing::p_of_largest_gap(words));
}

// 9 comparisons: 3 sharings; top 8 bits, low 8 bits, Kolmogorov-Smirnov.
TEST(DropoutMasks, DrawWordsUniformly) {
  Comparisons comparisons(testing::kFalseAlarmRate);
  for (const auto& [sharing, name] : kSharings) add_uniformity(comparisons, name, sample(sharing));
  EXPECT_EQ(comparisons.rejected(), testing::kNoneRejected);
}

TEST(DropoutMasks, RejectsWordsOf24BitsAndWordsThatLeanToOneSide) {
  Words rounded = sample(MaskSharing::kElement);
  Words leaning = rounded;
  for (std::uint32_t& word : rounded) word &= ~255u;
  for (std::uint32_t& word : leaning) {
    word = static_cast<std::uint32_t>(std::ldexp(std::pow(std::ldexp(word, -32), 1.02), 32));
  }
  Comparisons low(testing::kFalseAlarmRate), lean(testing::kFalseAlarmRate);
  add_uniformity(low, "rounded", rounded);
  add_uniformity(lean, "leaning", leaning);
  EXPECT_EQ(low.rejected().size(), 1u);
  EXPECT_EQ(lean.rejected().size(), 2u);
}

void add_sequence(Comparisons& comparisons, const std::string& name, const Bits& bits,
                  double rate) {
  comparisons.add("runs, " + name, testing::p_of_runs(bits, rate));
  comparisons.add("patterns within blocks, " + name, testing::p_of_patterns(bits, rate, 0));
  comparisons.add("patterns across blocks, " + name, testing::p_of_patterns(bits, rate, 2));
}

// 45 comparisons: 3 sharings, 5 rates; runs, and serial tests of the four words of one Philox block
// and of the halves of two.
TEST(DropoutMasks, FormNoPatternAlongElementsAndChannels) {
  Comparisons comparisons(testing::kFalseAlarmRate);
  for (const auto& [sharing, name] : kSharings) {
    const Words words = sample(sharing);
    for (const double rate : kRates) {
      add_sequence(comparisons, at_rate(name, rate),
                   testing::keep_bits(words, keep_threshold(rate)), rate);
    }
  }
  EXPECT_EQ(comparisons.rejected(), testing::kNoneRejected);
}

// Every fiftieth element repeats the one before it.
TEST(DropoutMasks, RejectsElementsThatRepeatTheirNeighbour) {
  Words words = sample(MaskSharing::kElement);
  for (std::size_t i = 49; i < words.size(); i += 50) words[i] = words[i - 1];
  for (const double rate : kRates) {
    Comparisons comparisons(testing::kFalseAlarmRate);
    add_sequence(comparisons, "repeated", testing::keep_bits(words, keep_threshold(rate)), rate);
    EXPECT_NE(comparisons.rejected(), testing::kNoneRejected) << "rate " << rate;
  }
}

std::vector<double> binomial_counts(int trials, double keep, double total) {
  std::vector<double> counts;
  for (int k = 0; k <= trials; ++k) {
    const double log_choose =
        std::lgamma(trials + 1.0) - std::lgamma(k + 1.0) - std::lgamma(trials - k + 1.0);
    counts.push_back(total *
                     std::exp(log_choose + k * std::log(keep) + (trials - k) * std::log1p(-keep)));
  }
  return counts;
}

// Kept channels of 16 layers in 5,000 passes against the binomial distribution.
double p_of_kept_channels(MaskSharing sharing, int channels, double rate,
                          const std::function<void(Words&)>& spoil) {
  constexpr int kLayers = 16;
  constexpr std::uint32_t kPasses = 5000;
  const auto width = static_cast<std::size_t>(channels);
  const std::uint64_t threshold = keep_threshold(rate);
  std::vector<double> observed(width + 1);
  for (int layer = 0; layer < kLayers; ++layer) {
    Words words = testing::mask_words({kMemberDraw, layer, sharing}, {kPasses, width});
    spoil(words);
    for (std::size_t start = 0; start < words.size(); start += width) {
      std::size_t kept = 0;
      for (std::size_t i = start; i < start + width; ++i) kept += words[i] >= threshold ? 1 : 0;
      observed[kept] += 1;
    }
  }
  return testing::p_of_counts(observed,
                              binomial_counts(channels, 1.0 - rate, double{kLayers} * kPasses));
}

// 30 comparisons: 2 sharings, layers of 8, 16 and 64 channels, 5 rates.
TEST(DropoutMasks, KeepABinomialNumberOfChannels) {
  Comparisons comparisons(testing::kFalseAlarmRate);
  for (const MaskSharing sharing : {MaskSharing::kChannel, MaskSharing::kWindowChannel}) {
    for (const int channels : {8, 16, 64}) {
      for (const double rate : kRates) {
        comparisons.add(at_rate(std::to_string(channels).c_str(), rate),
                        p_of_kept_channels(sharing, channels, rate, [](Words&) {}));
      }
    }
  }
  EXPECT_EQ(comparisons.rejected(), testing::kNoneRejected);
}

// Each has the right share of kept channels, but one of four is tied to its neighbour.
TEST(DropoutMasks, RejectsLayersWhoseChannelsAreTied) {
  const auto tie = [](Words& words) {
    for (std::size_t i = 3; i < words.size(); i += 4) words[i] = words[i - 1];
  };
  for (const int channels : {8, 16, 64}) {
    for (const double rate : kRates) {
      EXPECT_LT(p_of_kept_channels(MaskSharing::kChannel, channels, rate, tie),
                testing::kFalseAlarmRate / 30)
          << channels << " channels, rate " << rate;
    }
  }
}

}  // namespace
}  // namespace mcvol
