#include "mcvol/calibration/conformal.h"

#include "mcvol/calibration/scores.h"
#include "mcvol/error/error.h"

#include <cmath>
#include <limits>

#include "calibration/synthetic_scans.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

ConformalFit fit_with(std::vector<double> scores) {
  return {ScoreKind::kConformal, {{0.5, 0, std::move(scores)}}};
}

TEST(ConformalCut, IsAtTheRanksOfTheBounds) {
  const NominalCoverage level = NominalCoverage::parse("0.9");
  EXPECT_FALSE(conformal_cut(18, level));
  EXPECT_EQ(conformal_cut(19, level)->lower, 1);
  EXPECT_EQ(conformal_cut(19, level)->upper, 19);
  EXPECT_EQ(conformal_cut(200, level)->lower, 10);
  EXPECT_EQ(conformal_cut(200, level)->upper, 191);
}

TEST(QuantileCut, LiesBetweenRanks) {
  const ScoreCut cut = quantile_cut(19, NominalCoverage::parse("0.9"));
  EXPECT_NEAR(cut.lower, 1.9, 1e-12);
  EXPECT_NEAR(cut.upper, 18.1, 1e-12);
}

TEST(ScoreAt, IsLinearBetweenScores) {
  const ConformalFit fit = fit_with({-1, 0, 4});
  EXPECT_EQ(fit.score_at(0, 1), -1);
  EXPECT_EQ(fit.score_at(0, 2.5), 2);
  EXPECT_EQ(fit.score_at(0, 3), 4);
  EXPECT_EQ(fit.score_at(0, 7), 4);
}

TEST(ScoreAt, TakesInfiniteScores) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const ConformalFit fit = fit_with({-kInfinity, -kInfinity, 0, kInfinity});
  EXPECT_EQ(fit.score_at(0, 1.5), -kInfinity);
  EXPECT_EQ(fit.score_at(0, 4), kInfinity);
}

TEST(ConformalFit, LeavesOutWhatCanNeverBeChosen) {
  const std::vector<double> rhos{0.1, 0.5, 0.9};
  const std::vector<CandidateScores> scans{{{0.1, 0.2, 0.8}, {0, 0, 0}},
                                           {{0.1, 0.2, 0.8}, {1, 1, 1}}};
  const ConformalFit fit = ConformalFit::fit(ScoreKind::kConformal, rhos, scans);
  ASSERT_EQ(fit.candidates().size(), 2u);
  EXPECT_EQ(fit.candidates()[0].rho, 0.1);
  EXPECT_EQ(fit.candidates()[1].rho, 0.5);
  EXPECT_EQ(fit.best(), 0u);
}

TEST(ConformalFit, CountsAMissedTumourOnceAtMost) {
  const std::vector<double> rhos{0.1, 0.9};
  const std::vector<CandidateScores> scans{
      {{0.1, 0.3}, {0, 0}}, {{0.1, 0.3}, {1, 1}}, {{7.0, 2.0}, {2, 2}}};
  EXPECT_EQ(ConformalFit::fit(ScoreKind::kConformal, rhos, scans).best(), 0u);
}

TEST(ConformalFit, TheScanAtHandTakesPartInTheChoice) {
  const ConformalFit fit(ScoreKind::kConformal, {{0.1, 2.0, {-1, 0, 1}}, {0.9, 2.1, {5, 6, 7}}});
  const ScoreCut cut{1, 3};
  const std::vector<double> scores{0, 0};
  EXPECT_TRUE(fit.keeps(std::vector{0.5, 0.5}, scores, cut));
  EXPECT_FALSE(fit.keeps(std::vector{0.5, 0.3}, scores, cut)) << "0.9 is chosen";
}

TEST(ConformalFit, RefusesScoresThatAreNotAscendingOrMissing) {
  EXPECT_THROW(fit_with({}), Error);
  EXPECT_THROW(fit_with({1, 0}), Error);
  EXPECT_THROW(ConformalFit(ScoreKind::kConformal, {{0.1, 0, {1}}, {0.2, 0, {1, 2}}}), Error);
}

class Bounds : public ::testing::TestWithParam<ScoreKind> {};

TEST_P(Bounds, HoldTheMedianAndWidenWithTheLevel) {
  const auto scans = testing::synthetic_scans(220, 5);
  const std::vector<double> rhos{0.2, 0.5, 0.8};
  std::vector<CandidateScores> calibration;
  for (int n = 0; n < 200; ++n) {
    const auto scores = testing::scores_of(scans[n], GetParam(), rhos);
    calibration.push_back(testing::candidates_of(scores, scans[n]));
  }
  const ConformalFit all = ConformalFit::fit(GetParam(), rhos, calibration);
  std::vector<double> kept;
  for (const auto& candidate : all.candidates()) kept.push_back(candidate.rho);
  for (int n = 200; n < 220; ++n) {
    const auto scores = testing::scores_of(scans[n], GetParam(), kept);
    const double median_ml = all.median_ml(scores[all.best()]);
    PredictionInterval inner{median_ml, median_ml};
    for (const char* text : {"0.5", "0.8", "0.9", "0.99"}) {
      const PredictionInterval outer =
          all.interval(scores, conformal_cut(200, NominalCoverage::parse(text)).value());
      EXPECT_LE(outer.lower_ml, inner.lower_ml) << scans[n].case_id << ", level " << text;
      EXPECT_GE(outer.upper_ml, inner.upper_ml) << scans[n].case_id << ", level " << text;
      inner = outer;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, Bounds,
                         ::testing::Values(ScoreKind::kConformal, ScoreKind::kScaled,
                                           ScoreKind::kSizeOnly));

TEST(AtomUniform, IsOfTheCaseAndRegion) {
  const double one = atom_uniform("case_01", "whole_tumour");
  EXPECT_EQ(one, atom_uniform("case_01", "whole_tumour"));
  EXPECT_NE(one, atom_uniform("case_02", "whole_tumour"));
  EXPECT_NE(one, atom_uniform("case_01", "tumour_core"));
  double sum = 0;
  for (int n = 0; n < 10000; ++n) sum += atom_uniform("case_" + std::to_string(n), "x");
  EXPECT_NEAR(sum / 10000, 0.5, 0.015);  // five standard errors
}

TEST(Covers, TakesATumourTooSmallToCountAsAbsent) {
  EXPECT_TRUE(covers({0, 1}, 0.04, 0.05));
  EXPECT_TRUE(covers({0, 0.05}, 0.0, 0.05));
  EXPECT_FALSE(covers({0.06, 1}, 0.04, 0.05));
  EXPECT_TRUE(covers({0.06, 1}, 1.0, 0.05));
  EXPECT_FALSE(covers({0.06, 1}, 1.01, 0.05));
}

}  // namespace
}  // namespace mcvol
