// Coverage of the whole procedure, by simulation: 2,000 repetitions of drawing n calibration and 50
// test scans out of a pool, without replacement, so that they are exchangeable whatever the pool.

#include "mcvol/calibration/conformal.h"
#include "mcvol/calibration/coverage.h"
#include "mcvol/calibration/scores.h"

#include <cmath>
#include <functional>
#include <iomanip>
#include <iostream>
#include <memory>
#include <numeric>
#include <random>
#include <span>
#include <sstream>

#include "calibration/synthetic_scans.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

constexpr int kPool = 1500;
constexpr int kRepetitions = 2000;
constexpr int kTests = 50;
const std::vector<double> kRhos{0.1, 0.3, 0.6, 0.9};
constexpr std::size_t kFixedRho = 1;
const std::vector<int> kReferences{19, 50, 200};
const std::vector<const char*> kLevels{"0.5", "0.8", "0.9"};

/// A pool of scans with their losses and scores.
struct Pool {
  std::vector<testing::SyntheticScan> scans;
  std::vector<CandidateScores> candidates;

  explicit Pool(const testing::SyntheticTruth& truth)
      : scans(testing::synthetic_scans(kPool, 1, truth)) {
    for (const auto& scan : scans) {
      candidates.push_back(
          testing::candidates_of(testing::scores_of(scan, ScoreKind::kConformal, kRhos), scan));
    }
  }
};

const Pool& usual_pool() {
  static const Pool pool({});
  return pool;
}
const Pool& heavy_tailed_pool() {
  static const Pool pool({1.15, true, 0});
  return pool;
}
const Pool& pool_with_absent_tumours() {
  static const Pool pool({1, false, 0.15});
  return pool;
}

struct Coverage {
  double mean = 0;
  double standard_error = 0;  ///< over repetitions, since the 50 tests share a calibration
};

/// `make` is called once a repetition, with the calibration scans.
using MakeCovered =
    std::function<std::function<bool(int test)>(std::span<const CandidateScores> calibration)>;

Coverage simulate(const Pool& pool, int references, const MakeCovered& make) {
  std::mt19937_64 engine(references);
  std::vector<int> order(kPool);
  std::iota(order.begin(), order.end(), 0);
  double sum = 0;
  double squares = 0;
  for (int repetition = 0; repetition < kRepetitions; ++repetition) {
    for (int n = 0; n < references + kTests; ++n) {
      std::uniform_int_distribution<int> rest(n, kPool - 1);
      std::swap(order[n], order[rest(engine)]);
    }
    std::vector<CandidateScores> calibration;
    for (int n = 0; n < references; ++n) calibration.push_back(pool.candidates[order[n]]);
    const auto covered = make(calibration);
    int count = 0;
    for (int n = references; n < references + kTests; ++n) count += covered(order[n]);
    const double share = static_cast<double>(count) / kTests;
    sum += share;
    squares += share * share;
  }
  const double mean = sum / kRepetitions;
  const double variance =
      (squares / kRepetitions - mean * mean) * kRepetitions / (kRepetitions - 1);
  return {mean, std::sqrt(variance / kRepetitions)};
}

enum class Rho { kRefitted, kFullConformal };

Coverage kept_set(const Pool& pool, int references, const NominalCoverage& level, Rho rho) {
  const ScoreCut cut = conformal_cut(references, level).value();
  return simulate(pool, references, [&](std::span<const CandidateScores> calibration) {
    const auto fit = std::make_shared<const ConformalFit>(
        ConformalFit::fit(ScoreKind::kConformal, kRhos, calibration));
    return [&pool, fit, cut, rho](int test) {
      const CandidateScores& all = pool.candidates[test];
      CandidateScores own;  // of the candidates the fit kept
      for (const ConformalFit::Candidate& candidate : fit->candidates()) {
        const auto g = std::find(kRhos.begin(), kRhos.end(), candidate.rho) - kRhos.begin();
        own.losses.push_back(all.losses[g]);
        own.scores.push_back(all.scores[g]);
      }
      if (rho == Rho::kFullConformal) return fit->keeps(own.losses, own.scores, cut);
      const double score = own.scores[fit->best()];
      return fit->score_at(fit->best(), cut.lower) <= score &&
             score <= fit->score_at(fit->best(), cut.upper);
    };
  });
}

Coverage fixed_rho(const Pool& pool, int references, const ScoreCut& cut) {
  return simulate(pool, references, [&](std::span<const CandidateScores> calibration) {
    std::vector<double> scores;
    for (const CandidateScores& scan : calibration) scores.push_back(scan.scores[kFixedRho]);
    std::sort(scores.begin(), scores.end());
    const auto fit = std::make_shared<const ConformalFit>(
        ScoreKind::kConformal, std::vector<ConformalFit::Candidate>{{kRhos[kFixedRho], 0, scores}});
    return [&pool, fit, cut](int test) {
      const double score = pool.candidates[test].scores[kFixedRho];
      return fit->score_at(0, cut.lower) <= score && score <= fit->score_at(0, cut.upper);
    };
  });
}

/// Calls `check` with a pool, n and level for all of them.
template <typename Check>
void for_each_setting(const Pool& pool, const Check& check) {
  for (const int references : kReferences) {
    for (const char* text : kLevels) {
      const NominalCoverage level = NominalCoverage::parse(text);
      SCOPED_TRACE(std::to_string(references) + " references, level " + text);
      check(pool, references, level, expected_coverage(references, tail_rank(references, level)));
    }
  }
}

std::string percent(const Coverage& coverage) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(2) << 100 * coverage.mean << " ± "
       << 100 * coverage.standard_error;
  return text.str();
}

/// The figures of experiments/conformal_coverage, in per cent.
void print(int n, const NominalCoverage& level, double expected,
           const std::vector<Coverage>& coverages) {
  std::cout << "| " << n << " | " << level.text << " | " << std::fixed << std::setprecision(2)
            << 100 * expected;
  for (const Coverage& coverage : coverages) std::cout << " | " << percent(coverage);
  std::cout << " |\n";
}

void expect_exact_coverage(const Pool& pool) {
  for_each_setting(pool, [](const Pool& of, int n, const NominalCoverage& level, double expected) {
    const Coverage fixed = fixed_rho(of, n, conformal_cut(n, level).value());
    const Coverage refitted = kept_set(of, n, level, Rho::kRefitted);
    const Coverage full = kept_set(of, n, level, Rho::kFullConformal);
    print(n, level, expected, {fixed, refitted, full});
    EXPECT_NEAR(fixed.mean, expected, 3 * fixed.standard_error) << "fixed rho";
    EXPECT_NEAR(refitted.mean, expected, 3 * refitted.standard_error) << "refitted rho";
    EXPECT_NEAR(full.mean, expected, 3 * full.standard_error) << "full conformal";
  });
}

TEST(ConformalCoverage, IsWhatIsPromised) { expect_exact_coverage(usual_pool()); }

TEST(ConformalCoverage, IsWhatIsPromisedWhereTheTruthIsBiasedAndHeavyTailed) {
  expect_exact_coverage(heavy_tailed_pool());
}

TEST(ConformalCoverage, IsNoLessWithAbsentTumours) {
  for_each_setting(pool_with_absent_tumours(),
                   [](const Pool& of, int n, const NominalCoverage& level, double expected) {
                     const Coverage full = kept_set(of, n, level, Rho::kFullConformal);
                     print(n, level, expected, {full});
                     EXPECT_GE(full.mean, expected - 3 * full.standard_error);
                   });
}

// Bounds of whole scans are slow, so fewer repetitions: that the hull holds what the set holds.
TEST(ConformalCoverage, OfTheHullIsNoLessThanThatOfTheSet) {
  for (const Pool* pool : {&usual_pool(), &pool_with_absent_tumours()}) {
    const ConformalFit fit =
        ConformalFit::fit(ScoreKind::kConformal, kRhos, std::span(pool->candidates).first(50));
    std::vector<double> rhos;
    for (const auto& candidate : fit.candidates()) rhos.push_back(candidate.rho);
    ASSERT_GT(rhos.size(), 1u) << "nothing to choose from";
    for (const char* text : kLevels) {
      const ScoreCut cut = conformal_cut(50, NominalCoverage::parse(text)).value();
      int of_set = 0;
      for (int test = 50; test < 350; ++test) {
        const auto& scan = pool->scans[test];
        const auto scores = testing::scores_of(scan, ScoreKind::kConformal, rhos);
        const CandidateScores own = testing::candidates_of(scores, scan);
        if (!fit.keeps(own.losses, own.scores, cut)) continue;
        ++of_set;
        const PredictionInterval hull = fit.interval(scores, cut);
        EXPECT_TRUE(covers(hull, scan.truth_ml, scores.front().least_ml()))
            << scan.case_id << ": " << scan.truth_ml << " ml, [" << hull.lower_ml << ", "
            << hull.upper_ml << "]";
      }
      EXPECT_GT(of_set, 100) << text;
    }
  }
}

// The negative controls: a check that these pass would prove nothing.
TEST(ConformalCoverage, IsMissedByRawIntervalsAndByEmpiricalQuantiles) {
  const NominalCoverage level = NominalCoverage::parse("0.9");
  const Coverage quantile = fixed_rho(usual_pool(), 19, quantile_cut(19, level));
  EXPECT_NEAR(quantile.mean, 0.81, 0.01);
  EXPECT_LT(quantile.mean + 3 * quantile.standard_error, 0.9);
  int covered = 0;
  for (const auto& scan : usual_pool().scans) {
    const VolumeDistribution raw(scan.passes, testing::kSyntheticVoxelMl, {});
    covered += raw.quantile(0.05) <= scan.truth_ml && scan.truth_ml <= raw.quantile(0.95);
  }
  EXPECT_LT(covered, 0.87 * kPool);
}

}  // namespace
}  // namespace mcvol
