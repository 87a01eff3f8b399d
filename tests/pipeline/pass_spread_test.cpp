#include "mcvol/pipeline/histogram_sink.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace mcvol {
namespace {

const SpreadChoice kBoth{true, true};

/// Of one region: [pass, voxel].
void give_passes(const std::vector<std::vector<float>>& passes, int first, HistogramSink& sink) {
  std::vector<std::int64_t> voxels;
  for (std::size_t n = 0; n < passes.front().size(); ++n)
    voxels.push_back(static_cast<std::int64_t>(n));
  std::vector<float> logits;
  for (const auto& pass : passes) logits.insert(logits.end(), pass.begin(), pass.end());
  sink.accept({voxels, first, static_cast<int>(passes.size()), 1, logits});
}

TEST(PassSpread, SdAndAgreementAreThoseComputedByHand) {
  const float three = std::log(3.0F);  // of a probability of 3/4
  HistogramSink sink({"a"}, 3, 3, 1, kBoth);
  give_passes({{-three, 20, 0}, {0, 20, 1}, {three, 20, 2}, {9, -9, 9}}, 0, sink);
  // 1/4, 1/2, 3/4: deviations of 1/4 twice, by n - 1; 1/2 is not above 1/2.
  EXPECT_NEAR(sink.probability_sd(0, 0), 0.25, 1e-7);
  EXPECT_EQ(sink.agreement(0, 0), 1.0 / 3);
  EXPECT_EQ(sink.probability_sd(0, 1), 0.0);
  EXPECT_EQ(sink.agreement(0, 1), 1.0) << "the pass without dropout is no part";
  EXPECT_EQ(sink.agreement(0, 2), 2.0 / 3);
}

TEST(PassSpread, FollowsFurtherPasses) {
  HistogramSink sink({"a"}, 1, 2, 0, kBoth);
  give_passes({{-30}, {30}}, 0, sink);
  EXPECT_NEAR(sink.probability_sd(0, 0), std::sqrt(0.5), 1e-7);
  sink.extend(4);
  give_passes({{30}, {30}}, 2, sink);
  EXPECT_NEAR(sink.probability_sd(0, 0), 0.5, 1e-7);  // 0, 1, 1, 1
  EXPECT_EQ(sink.agreement(0, 0), 0.75);
}

TEST(PassSpread, OrderAndGroupsOfPassesDoNotChangeABit) {
  std::vector<std::vector<float>> passes(12, std::vector<float>(900));
  std::mt19937 generator(11);
  std::uniform_real_distribution<float> uniform(-12.0F, 12.0F);
  for (auto& pass : passes)
    std::generate(pass.begin(), pass.end(), [&] { return uniform(generator); });
  HistogramSink together({"a"}, 900, 12, 0, kBoth), apart({"a"}, 900, 12, 0, kBoth);
  give_passes(passes, 0, together);
  for (int first = 9; first >= 0; first -= 3) {
    give_passes({passes.begin() + first, passes.begin() + first + 3}, first, apart);
  }
  for (std::size_t voxel = 0; voxel < 900; ++voxel) {
    ASSERT_EQ(together.probability_sd(0, voxel), apart.probability_sd(0, voxel));
    ASSERT_EQ(together.agreement(0, voxel), apart.agreement(0, voxel));
    double sum = 0, squares = 0;
    for (const auto& pass : passes) {
      const double p = 1 / (1 + std::exp(-static_cast<double>(pass[voxel])));
      sum += p;
      squares += p * p;
    }
    ASSERT_NEAR(apart.probability_sd(0, voxel), std::sqrt((squares - sum * sum / 12) / 11), 1e-7);
  }
}

TEST(PassSpread, OfTheSdAloneTheLogitsThemselvesAreNeeded) {
  EXPECT_TRUE(HistogramSink({"a"}, 1, 2, 0).takes_sums());
  EXPECT_FALSE(HistogramSink({"a"}, 1, 2, 0, {true, false}).takes_sums());
  EXPECT_TRUE(HistogramSink({"a"}, 1, 2, 0, {false, true}).takes_sums());
}

TEST(PassSpread, LeavesTheHistogramsAsTheyAre) {
  HistogramSink with({"a"}, 2, 2, 0, kBoth), without({"a"}, 2, 2, 0);
  for (HistogramSink* sink : {&with, &without}) give_passes({{1, 2}, {-3, 0.5F}}, 0, *sink);
  EXPECT_EQ(with.mean_probability(0, 1), without.mean_probability(0, 1));
  EXPECT_TRUE(with.finish()[0].mean == without.finish()[0].mean);
}

}  // namespace
}  // namespace mcvol
