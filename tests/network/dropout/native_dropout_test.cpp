// Whether our dropout under the native scope draws in distribution what PyTorch's own operators do.
// Seeds are fixed; with random ones, two correct generators would fail a test with probability 1e-6
// (Bonferroni over its comparisons, listed at each). Standard errors are estimated: summed over the
// binomial counts of both, the tail beyond the critical z is 0.98 to 1.07 times the normal one.

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "network/support/monte_carlo_moments.h"
#include "network/support/rewritten_network.h"
#include "network/support/statistical_checks.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::Comparisons;

constexpr int kPasses = 4000;
constexpr double kRate = 0.3;
constexpr std::int64_t kChannelElements = 6 * 5 * 4;

struct DropoutKind {
  const char* name;
  const char* torchscript;
  at::Tensor (*own)(const at::Tensor&, double, bool);
  bool feature;
};

const DropoutKind kKinds[] = {
    {"Dropout", "torch.dropout", at::dropout, false},
    {"FeatureDropout", "torch.feature_dropout", at::feature_dropout, true},
    {"AlphaDropout", "torch.alpha_dropout", at::alpha_dropout, false},
    {"FeatureAlphaDropout", "torch.feature_alpha_dropout", at::feature_alpha_dropout, true}};

// No value near 0 or near alpha dropout's replacement of dropped values, so that each element shows
// whether it was kept.
at::Tensor random_block() {
  at::manual_seed(11);
  const at::Tensor sign = at::randint(2, {1, 8, 6, 5, 4}).mul(2).sub(1);
  return sign.mul(at::rand({1, 8, 6, 5, 4}) + 0.25);
}

at::Tensor ours(const DropoutKind& kind, DropoutScope scope = DropoutScope::kNative,
                double rate = kRate) {
  const std::string forward = "def forward(self, x):\n    return " + std::string(kind.torchscript) +
                              "(x, " + std::to_string(rate) + ", True)\n";
  return testing::run_rewritten(forward, scope, random_block(), kPasses, 31);
}

at::Tensor pytorchs(const DropoutKind& kind) {
  const at::Tensor passes = random_block().expand({kPasses, 8, 6, 5, 4}).contiguous();
  at::manual_seed(5);
  return kind.own(passes, kRate, true);
}

// The smallest and the largest value of each element, [2, 8, 6, 5, 4]. Fails if it takes a third.
at::Tensor two_values(const at::Tensor& passes) {
  const at::Tensor lowest = std::get<0>(passes.min(0));
  const at::Tensor highest = std::get<0>(passes.max(0));
  const at::Tensor third = at::minimum((passes - lowest).abs(), (passes - highest).abs());
  EXPECT_LE(third.max().item<double>(), 1e-6);
  EXPECT_GT((highest - lowest).min().item<double>(), 1e-2);
  return at::stack({lowest, highest});
}

// [passes, channels, elements]: 1 where the element was kept. Alpha dropout turns all others into
// -alpha' a (1 - rate) (Klambauer et al., NeurIPS 2017, section 3).
at::Tensor kept(const at::Tensor& passes, bool alpha) {
  constexpr double kAlpha = 1.7580993408473766;
  const double a = 1.0 / std::sqrt((kAlpha * kAlpha * kRate + 1.0) * (1.0 - kRate));
  const double dropped = alpha ? -kAlpha * a * (1.0 - kRate) : 0.0;
  return ((passes - dropped).abs() > 1e-6).to(at::kByte).view({kPasses, 8, kChannelElements});
}

class NativeDropout : public ::testing::TestWithParam<DropoutKind> {
 protected:
  const bool alpha_ = std::string(GetParam().name).find("Alpha") != std::string::npos;
};

INSTANTIATE_TEST_SUITE_P(Kinds, NativeDropout, ::testing::ValuesIn(kKinds),
                         [](const auto& kind) { return std::string(kind.param.name); });

// 1,920 comparisons: mean and variance of 960 elements over 4,000 passes.
TEST_P(NativeDropout, HasTheMeanAndVarianceOfPyTorchs) {
  Comparisons comparisons(testing::kFalseAlarmRate);
  testing::compare_moments(comparisons, GetParam().name, ours(GetParam()), pytorchs(GetParam()));
  EXPECT_EQ(comparisons.size(), 1920u);
  EXPECT_EQ(comparisons.rejected(), testing::kNoneRejected);
}

TEST_P(NativeDropout, TakesTheSameTwoValuesAsPyTorchs) {
  const at::Tensor difference = two_values(ours(GetParam())) - two_values(pytorchs(GetParam()));
  EXPECT_LE(difference.abs().max().item<double>(), 1e-6);
}

double p_of_neighbours(const at::Tensor& first, const at::Tensor& second, bool table) {
  const at::Tensor a = first.contiguous();
  const at::Tensor b = second.contiguous();
  const auto bits = [](const at::Tensor& tensor) {
    return std::span(tensor.const_data_ptr<std::uint8_t>(),
                     static_cast<std::size_t>(tensor.numel()));
  };
  const testing::PairCounts pairs = testing::count_pairs(bits(a), bits(b));
  return table ? testing::p_of_table(pairs, kRate) : testing::p_of_correlation(pairs, kRate);
}

// 1,920,000 pairs; 16,000 between channels that are tied within.
void add_independence(Comparisons& comparisons, const at::Tensor& bits, bool feature) {
  constexpr std::int64_t kHalf = kChannelElements / 2;
  const at::Tensor pairs = bits.reshape({kPasses, 8, kHalf, 2});
  const at::Tensor between = feature ? bits.select(2, 0) : bits;
  for (const bool table : {false, true}) {
    if (!feature) {
      comparisons.add("next element",
                      p_of_neighbours(pairs.select(3, 0), pairs.select(3, 1), table));
      comparisons.add("half a channel away", p_of_neighbours(bits.narrow(2, 0, kHalf),
                                                             bits.narrow(2, kHalf, kHalf), table));
    }
    comparisons.add("next channel",
                    p_of_neighbours(between.slice(1, 0, 8, 2), between.slice(1, 1, 8, 2), table));
  }
}

// Whole channels live and die together for feature kinds: correlation 1 within them. Otherwise 0:
// 12 comparisons, 4 for feature kinds, which are independent between channels only.
TEST_P(NativeDropout, IsTiedWithinAChannelWherePyTorchsIs) {
  Comparisons comparisons(testing::kFalseAlarmRate);
  for (const at::Tensor& passes : {ours(GetParam()), pytorchs(GetParam())}) {
    const at::Tensor bits = kept(passes, alpha_);
    const bool tied = bits.eq(bits.narrow(2, 0, 1)).all().item<bool>();
    EXPECT_EQ(tied, GetParam().feature);
    add_independence(comparisons, bits, GetParam().feature);
  }
  EXPECT_EQ(comparisons.rejected(), testing::kNoneRejected);
}

// Wrong generators, to the same checks.

TEST_P(NativeDropout, RejectsARateThatIsWrong) {
  Comparisons comparisons(testing::kFalseAlarmRate);
  testing::compare_moments(comparisons, "rate 0.4", ours(GetParam(), DropoutScope::kNative, 0.4),
                           pytorchs(GetParam()));
  EXPECT_NE(comparisons.rejected(), testing::kNoneRejected);
}

TEST_P(NativeDropout, RejectsTheSharingOfTheOtherScope) {
  const bool feature = GetParam().feature;
  const at::Tensor bits =
      kept(ours(GetParam(), feature ? DropoutScope::kElement : DropoutScope::kChannel), alpha_);
  EXPECT_NE(bits.eq(bits.narrow(2, 0, 1)).all().item<bool>(), feature);
  Comparisons comparisons(testing::kFalseAlarmRate);
  add_independence(comparisons, bits, false);
  EXPECT_EQ(comparisons.rejected() == testing::kNoneRejected, feature);
}

}  // namespace
}  // namespace mcvol
