#include "mcvol/volumetry/monte_carlo_error.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "volumetry/test_voxels.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

constexpr double kMicrolitreMl = 0.001;
constexpr double kLevel = 0.9;
constexpr std::size_t kVoxels = 4000;
constexpr double kFarthest = 10;  // logit of the outermost voxel

/// Voxels whose logits are spread evenly around `shift`: the level sets hold
/// V(x) = w N (x + shift + kFarthest) / (2 kFarthest), x standard logistic.
LogitHistogram evenly_spread(double shift) {
  std::vector<float> logits;
  for (std::size_t n = 0; n < kVoxels; ++n) {
    const double place = (static_cast<double>(n) + 0.5) / kVoxels;
    logits.push_back(static_cast<float>(kFarthest * (2 * place - 1) + shift));
  }
  return histogram_of(logits);
}

/// Passes shifted by normal draws of this standard deviation.
std::vector<double> drawn_shifts(int passes, double sd, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<double> normal(0, sd);
  std::vector<double> shifts;
  for (int pass = 0; pass < passes; ++pass) shifts.push_back(normal(generator));
  return shifts;
}

std::vector<LogitHistogram> passes_of(const std::vector<double>& shifts) {
  std::vector<LogitHistogram> passes;
  for (const double shift : shifts) passes.push_back(evenly_spread(shift));
  return passes;
}

VolumeDistribution level_sets(const std::vector<LogitHistogram>& passes) {
  return VolumeDistribution(passes, kMicrolitreMl, {});
}

double sample_sd(const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / count;
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return std::sqrt(sum / (count - 1));
}

/// Woodruff's interval, of distributions of single passes.
double woodruff_by_definition(const std::vector<LogitHistogram>& passes, double probability,
                              std::size_t per_round) {
  const VolumeDistribution all = level_sets(passes);
  const double bound = all.quantile(probability);
  std::vector<double> of_rounds(passes.size() / per_round, 0.0);
  for (std::size_t pass = 0; pass < passes.size(); ++pass) {
    of_rounds[pass / per_round] +=
        level_sets({passes[pass]}).cdf(bound) / static_cast<double>(per_round);
  }
  const double d = sample_sd(of_rounds) / std::sqrt(static_cast<double>(of_rounds.size()));
  const double low = std::max(probability - d, probability / 10);
  const double high = std::min(probability + d, 1 - (1 - probability) / 10);
  return (all.quantile(high) - all.quantile(low)) / 2;
}

/// The jackknife, pass by pass or round by round: a distribution of its own for each that is left
/// out.
double jackknife_by_definition(const std::vector<LogitHistogram>& passes, double probability,
                               std::size_t per_round) {
  std::vector<double> left_out;
  for (std::size_t first = 0; first < passes.size(); first += per_round) {
    std::vector<LogitHistogram> others = passes;
    const auto begin = others.begin() + static_cast<std::ptrdiff_t>(first);
    others.erase(begin, begin + static_cast<std::ptrdiff_t>(per_round));
    left_out.push_back(level_sets(others).quantile(probability));
  }
  const auto rounds = static_cast<double>(left_out.size());
  return (rounds - 1) / std::sqrt(rounds) * sample_sd(left_out);
}

double by_definition(const std::vector<LogitHistogram>& passes, double probability,
                     std::size_t per_round) {
  return std::max(jackknife_by_definition(passes, probability, per_round),
                  woodruff_by_definition(passes, probability, per_round));
}

// V(x) is a line, and F the mean of logistic distributions shifted by s: for small s the quantile
// is that of their mean, whose standard error is SD(s) / sqrt(T).
TEST(MonteCarloError, IsThatOfAMeanWherePassesAreShiftedLittle) {
  for (const int passes : {20, 80, 320}) {
    const std::vector<double> shifts = drawn_shifts(passes, 0.02, 7);
    const double ml_per_logit = kMicrolitreMl * kVoxels / (2 * kFarthest);
    const double expected = ml_per_logit * sample_sd(shifts) / std::sqrt(passes);
    const auto error = monte_carlo_error(level_sets(passes_of(shifts)), kLevel);
    ASSERT_TRUE(error);
    EXPECT_NEAR(error->lower_ml / expected, 1, 0.03) << passes;
    EXPECT_NEAR(error->upper_ml / expected, 1, 0.03) << passes;
  }
}

TEST(MonteCarloError, IsThatOfItsDefinitionHoweverFarPassesAreApart) {
  for (const double sd : {0.1, 1.0, 3.0}) {
    const std::vector<LogitHistogram> passes = passes_of(drawn_shifts(20, sd, 3));
    const auto error = monte_carlo_error(level_sets(passes), kLevel);
    ASSERT_TRUE(error);
    EXPECT_NEAR(error->lower_ml / by_definition(passes, 0.05, 1), 1, 0.01) << sd;
    EXPECT_NEAR(error->upper_ml / by_definition(passes, 0.95, 1), 1, 0.01) << sd;
  }
}

// Either would do for most of the above.
TEST(MonteCarloError, IsTheLargerOfTwoThatDifferWherePassesAreFarApart) {
  bool jackknife_larger = false, woodruff_larger = false;
  for (unsigned seed = 0; seed < 10; ++seed) {
    const std::vector<LogitHistogram> passes = passes_of(drawn_shifts(20, 3.0, seed));
    for (const double probability : {0.05, 0.95}) {
      const double ratio = jackknife_by_definition(passes, probability, 1) /
                           woodruff_by_definition(passes, probability, 1);
      jackknife_larger = jackknife_larger || ratio > 1.1;
      woodruff_larger = woodruff_larger || ratio < 0.9;
    }
    const auto error = monte_carlo_error(level_sets(passes), kLevel);
    ASSERT_TRUE(error);
    EXPECT_NEAR(error->lower_ml / by_definition(passes, 0.05, 1), 1, 0.01) << seed;
    EXPECT_NEAR(error->upper_ml / by_definition(passes, 0.95, 1), 1, 0.01) << seed;
  }
  EXPECT_TRUE(jackknife_larger);
  EXPECT_TRUE(woodruff_larger);
}

// Networks that differ: between rounds there is less than between passes.
TEST(MonteCarloError, OfAnEnsembleLeavesOutWholeRounds) {
  std::vector<double> shifts = drawn_shifts(24, 0.1, 5);
  for (std::size_t pass = 0; pass < shifts.size(); ++pass) {
    shifts[pass] += 0.8 * (static_cast<double>(pass % 3) - 1);
  }
  const std::vector<LogitHistogram> passes = passes_of(shifts);
  const auto error = monte_carlo_error(level_sets(passes), kLevel, 3);
  const auto as_passes = monte_carlo_error(level_sets(passes), kLevel);
  ASSERT_TRUE(error && as_passes);
  EXPECT_NEAR(error->lower_ml / by_definition(passes, 0.05, 3), 1, 0.01);
  EXPECT_NEAR(error->upper_ml / by_definition(passes, 0.95, 3), 1, 0.01);
  EXPECT_LT(error->lower_ml, 0.5 * as_passes->lower_ml);
}

// In the mean over many draws of the passes (the variance, which is what a jackknife is unbiased
// for), up to passes as far apart as level sets are wide.
TEST(MonteCarloError, IsHowFarBoundsScatterWhenPassesAreDrawnAnew) {
  constexpr int kRepetitions = 300;
  for (const double sd : {0.3, 1.0}) {
    std::vector<double> lower, upper;
    double lower_variance = 0, upper_variance = 0;
    for (unsigned seed = 0; seed < kRepetitions; ++seed) {
      const VolumeDistribution volumes = level_sets(passes_of(drawn_shifts(20, sd, 100 + seed)));
      lower.push_back(volumes.quantile(0.05));
      upper.push_back(volumes.quantile(0.95));
      const auto error = monte_carlo_error(volumes, kLevel);
      ASSERT_TRUE(error);
      lower_variance += error->lower_ml * error->lower_ml / kRepetitions;
      upper_variance += error->upper_ml * error->upper_ml / kRepetitions;
    }
    // Standard error of either ratio: 4 %.
    EXPECT_NEAR(std::sqrt(lower_variance) / sample_sd(lower), 1, 0.1) << sd;
    EXPECT_NEAR(std::sqrt(upper_variance) / sample_sd(upper), 1, 0.1) << sd;
  }
}

// Two of twenty passes lose the tumour; it might have been none. Without one of them the lower
// bound is none as before.
TEST(MonteCarloError, NoticesThatFewerPassesMightLoseTheTumour) {
  std::vector<double> shifts = drawn_shifts(20, 0.02, 2);
  shifts[3] = shifts[11] = -4 * kFarthest;
  const std::vector<LogitHistogram> passes = passes_of(shifts);
  const double kept_ml = level_sets({passes[0]}).quantile(0.05);
  const auto error = monte_carlo_error(level_sets(passes), kLevel);
  ASSERT_TRUE(error);
  EXPECT_EQ(level_sets(passes).quantile(0.05), 0.0);
  EXPECT_EQ(jackknife_by_definition(passes, 0.05, 1), 0.0);
  EXPECT_GT(error->lower_ml, 0.4 * kept_ml);
}

TEST(MonteCarloError, IsZeroOfEqualPassesAndOfNoTumour) {
  constexpr double kRounding_ml = 1e-12;
  for (const LogitHistogram& pass :
       {evenly_spread(0.0), histogram_of(std::vector<float>(kVoxels, -INFINITY))}) {
    const auto error = monte_carlo_error(level_sets(std::vector<LogitHistogram>(20, pass)), kLevel);
    ASSERT_TRUE(error);
    EXPECT_NEAR(error->lower_ml, 0, kRounding_ml);
    EXPECT_NEAR(error->upper_ml, 0, kRounding_ml);
  }
}

TEST(MonteCarloError, IsNotThereForASingleRound) {
  const std::vector<LogitHistogram> passes = passes_of(drawn_shifts(3, 1.0, 1));
  EXPECT_EQ(monte_carlo_error(level_sets({passes[0]}), kLevel), std::nullopt);
  EXPECT_EQ(monte_carlo_error(level_sets(passes), kLevel, 3), std::nullopt);
}

TEST(MonteCarloError, RefusesWhatItIsNotMeantFor) {
  const std::vector<LogitHistogram> passes = passes_of(drawn_shifts(4, 1.0, 1));
  EXPECT_THROW(monte_carlo_error(level_sets(passes), 1.0), Error);
  EXPECT_THROW(monte_carlo_error(level_sets(passes), kLevel, 3), Error);
  const VolumeDistribution thresholded(passes, kMicrolitreMl, {Sampler::kThreshold, 1.0});
  EXPECT_THROW(monte_carlo_error(thresholded, kLevel), Error);
}

}  // namespace
}  // namespace mcvol
