#include "mcvol/calibration/dice_fit.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <span>

#include "calibration/brute_force_regression.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

enum class Truth { kPlain, kOftenMissed };

/// Of which the passes know in part how good they are.
std::vector<DiceFit::Scan> drawn_scans(int count, Truth truth, std::mt19937_64& engine) {
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  std::vector<DiceFit::Scan> scans;
  for (int n = 0; n < count; ++n) {
    const double good = 1 / (1 + std::exp(-2 - 1.5 * normal(engine)));
    const auto near = [&](double spread) {
      return std::clamp(good + spread * normal(engine), 0.0, 1.0);
    };
    SegmentationFeatures of;
    of.generalised_dice = near(0.05);
    of.soft_dice = near(0.05);
    of.entropy_inside = 1 - near(0.1);
    of.shared_by_all = near(0.1);
    of.root = 0.5 + 4 * uniform(engine);
    of.relative_spread = 0.5 * (1 - near(0.1));
    of.passes_upper = 0.3 * (1 - near(0.1));
    of.mean_upper = 0.3 * (1 - near(0.1));
    double dice = near(0.03 + 0.2 * (1 - good));
    if (truth == Truth::kOftenMissed && uniform(engine) < 0.15) dice = 0;
    scans.push_back({of, dice});
  }
  return scans;
}

struct Missed {
  int scans = 0;
  std::vector<int> below;  ///< by level
};

const std::vector<NominalCoverage>& levels() {
  static const auto kLevels = parse_levels({"0.5", "0.8", "0.9", "0.95"});
  return kLevels;
}

Missed count_missed(int n, Truth truth, int draws) {
  std::mt19937_64 engine(static_cast<unsigned>(n + static_cast<int>(truth)));
  Missed missed{draws, std::vector<int>(levels().size())};
  for (int draw = 0; draw < draws; ++draw) {
    auto scans = drawn_scans(n + 1, truth, engine);
    const DiceFit::Scan other = scans.back();
    scans.pop_back();
    const ExpectedDice expected = DiceFit(std::move(scans)).expect(other.features, levels());
    for (std::size_t level = 0; level < levels().size(); ++level) {
      missed.below[level] += other.dice < expected.lower[level] ? 1 : 0;
    }
  }
  return missed;
}

/// A calibration and another scan, drawn anew each time: no more lie below their bound than is
/// promised; hulls may let fewer.
class DiceBound : public ::testing::TestWithParam<std::tuple<int, Truth>> {};

TEST_P(DiceBound, IsMissedNoMoreOftenThanPromised) {
  const auto& [n, truth] = GetParam();
  const Missed missed = count_missed(n, truth, 1000);
  for (std::size_t level = 0; level < levels().size(); ++level) {
    const double promised =
        static_cast<double>(one_sided_rank(n, levels()[level])) / static_cast<double>(n + 1);
    const double error = std::sqrt(promised * (1 - promised) / missed.scans);
    EXPECT_LE(missed.below[level], missed.scans * (promised + 3.5 * error))
        << n << " scans, level " << levels()[level].text;
    if (truth == Truth::kOftenMissed) continue;  // a Dice of 0 is no lower than any bound may be
    EXPECT_GE(missed.below[level], missed.scans * (0.7 * promised - 3.5 * error))
        << n << " scans, level " << levels()[level].text;
  }
}

/// Draw by draw: where the Dice lies below its bound of rank k, no more than k - 1 of the n
/// studentised residuals lie below its own, and that happens in k of n + 1 scans. No side borrows
/// from the other.
TEST(ExpectedDice, LiesBelowItsBoundOnlyWhereItsRankDoes) {
  std::mt19937_64 engine(11);
  int below = 0;
  for (int draw = 0; draw < 300; ++draw) {
    const int n = 19 + draw % 12;
    auto scans = drawn_scans(n + 1, draw % 2 == 0 ? Truth::kPlain : Truth::kOftenMissed, engine);
    const DiceFit::Scan other = scans.back();
    scans.pop_back();
    const DiceFit fit(std::move(scans));
    const ExpectedDice expected = fit.expect(other.features, levels());
    const Eigen::ArrayXd t = testing::studentised_residuals(
        fit.rows_with(other.features), other.dice - other.features.generalised_dice);
    for (std::size_t level = 0; level < levels().size(); ++level) {
      if (!expected.lower[level] || other.dice >= *expected.lower[level]) continue;
      ++below;
      EXPECT_LT((t.tail(n) <= t[0]).count(), one_sided_rank(n, levels()[level]))
          << n << " scans, level " << levels()[level].text;
    }
  }
  EXPECT_GT(below, 100);
}

INSTANTIATE_TEST_SUITE_P(Scans, DiceBound,
                         ::testing::Combine(::testing::Values(19, 50, 120),
                                            ::testing::Values(Truth::kPlain, Truth::kOftenMissed)));

TEST(ExpectedDice, IsNearTheTruthWhereThePassesKnowIt) {
  std::mt19937_64 engine(1);
  const DiceFit fit(drawn_scans(100, Truth::kPlain, engine));
  double error = 0, spread = 0, sum = 0;
  const auto others = drawn_scans(100, Truth::kPlain, engine);
  for (const DiceFit::Scan& other : others) sum += other.dice / 100;
  for (const DiceFit::Scan& other : others) {
    error += std::abs(fit.expect(other.features, {}).median - other.dice);
    spread += std::abs(other.dice - sum);
  }
  EXPECT_LT(error, 0.5 * spread);
}

TEST(ExpectedDice, BoundsAreNestedAndOfZeroToOne) {
  std::mt19937_64 engine(2);
  const DiceFit fit(drawn_scans(60, Truth::kOftenMissed, engine));
  for (const DiceFit::Scan& other : drawn_scans(40, Truth::kPlain, engine)) {
    const ExpectedDice expected = fit.expect(other.features, levels());
    EXPECT_TRUE(std::is_sorted(expected.lower.rbegin(), expected.lower.rend()));
    EXPECT_GE(expected.lower.back(), 0);
    EXPECT_LE(expected.lower.front(), expected.median);
    EXPECT_LE(expected.median, 1);
  }
}

TEST(ExpectedDice, ThatScansDoNotReachIsZero) {
  std::mt19937_64 engine(3);
  const DiceFit fit(drawn_scans(12, Truth::kPlain, engine));
  const ExpectedDice expected = fit.expect(fit.scans().front().features, levels());
  EXPECT_TRUE(expected.lower[2]) << "one of 13";
  EXPECT_FALSE(expected.lower[3]) << "0.95 takes 19";
  const DiceFit single({fit.scans().front()});
  const auto of_one = single.expect(fit.scans().back().features, levels()).lower;
  EXPECT_TRUE(of_one[0]) << "one of two";
  EXPECT_EQ(std::count(of_one.begin() + 1, of_one.end(), std::nullopt), 3);
}

TEST(ExpectedDice, RanksAreOfOneSide) {
  const NominalCoverage level = NominalCoverage::parse("0.9");
  EXPECT_EQ(one_sided_rank(8, level), 0);
  EXPECT_EQ(one_sided_rank(9, level), 1);
  EXPECT_EQ(one_sided_rank(18, level), 1);
  EXPECT_EQ(one_sided_rank(19, level), 2) << "exactly, which doubles would miss";
  EXPECT_EQ(one_sided_rank(299, level), 30);
}

TEST(ExpectedDice, UsualLeastIsThatOfTheWorst) {
  std::mt19937_64 engine(4);
  const DiceFit fit(drawn_scans(200, Truth::kPlain, engine));
  std::vector<std::size_t> folds(200);
  for (std::size_t n = 0; n < folds.size(); ++n) folds[n] = n % 10;
  const double least = usual_least_dice(fit, folds, 0.05);
  EXPECT_THROW(usual_least_dice(fit, std::span(folds).first(199), 0.05), Error);
  int low = 0;
  for (const DiceFit::Scan& other : drawn_scans(400, Truth::kPlain, engine)) {
    low += fit.expect(other.features, {}).median <= least ? 1 : 0;
  }
  EXPECT_NEAR(low, 20, 3.5 * std::sqrt(20 * (1 + 400.0 / 200)));
}

TEST(ExpectedDice, NumbersThatAreNoneAreRefused) {
  std::mt19937_64 engine(5);
  auto scans = drawn_scans(3, Truth::kPlain, engine);
  scans[1].dice = 1.5;
  EXPECT_THROW(DiceFit{scans}, Error);
  scans[1].dice = 0.5;
  scans[2].features.entropy_inside = std::nan("");
  EXPECT_THROW(DiceFit{scans}, Error);
  EXPECT_THROW(DiceFit({}), Error);
}

}  // namespace
}  // namespace mcvol
