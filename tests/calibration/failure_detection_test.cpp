#include "mcvol/calibration/failure_detection.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <cmath>
#include <random>

#include <gtest/gtest.h>

namespace mcvol {
namespace {

// Two numbers of 24 segmentations, rounded so that some tie, and which of these are bad.
const std::vector<double> kFirst{0.0,  0.3,  -0.3, -0.9, -0.5, -1.0, 0.1,  1.3,
                                 -0.5, -0.6, 0.5,  0.4,  0.1,  -0.9, 0.0,  0.7,
                                 -1.3, -0.5, -1.9, -1.3, -1.8, -0.2, -1.3, 0.3};
const std::vector<double> kSecond{0.2,  0.0,  -2.7, -1.0, -0.3, -0.4, -1.5, 0.2,
                                  -1.2, -1.1, 1.3,  -0.6, 0.0,  0.4,  -0.6, 0.2,
                                  -0.5, -0.2, -2.2, -0.6, 0.5,  -1.6, 0.2,  0.3};
std::vector<bool> bad_ones() {
  std::vector<bool> bad(kFirst.size());
  for (const std::size_t n : {1u, 7u, 10u}) bad[n] = true;
  return bad;
}

/// The expected numbers are numpy's: means and covariances of the structural components.
TEST(Auroc, IsDeLongs) {
  const Auroc auroc = auroc_of(kFirst, kSecond, bad_ones());
  EXPECT_NEAR(auroc.area, 0.9444444444444443, 1e-12);
  EXPECT_NEAR(auroc.range.lower, 0.9444444444444443 - 1.959963984540054 * 0.04930864941907641,
              1e-12);
  EXPECT_EQ(auroc.range.upper, 1) << "no area is larger";
  EXPECT_NEAR(auroc.difference, 0.11904761904761885, 1e-12);
  const double half = 1.959963984540054 * 0.10286889997472796;
  EXPECT_NEAR(auroc.difference_range.lower, auroc.difference - half, 1e-12);
  EXPECT_NEAR(auroc.difference_range.upper, auroc.difference + half, 1e-12);
}

TEST(Auroc, OfTheSameNumbersIsHalfAndNoDifference) {
  const std::vector<double> same(kFirst.size(), 1.0);
  const Auroc auroc = auroc_of(same, same, bad_ones());
  EXPECT_EQ(auroc.area, 0.5);
  EXPECT_EQ(auroc.difference, 0);
  EXPECT_TRUE(std::isnan(auroc.difference_range.upper)) << "which says nothing of others";
}

TEST(Auroc, HasNoIntervalWhereNothingScatters) {
  std::vector<bool> one(kFirst.size());
  one[7] = true;
  EXPECT_TRUE(std::isnan(auroc_of(kFirst, kSecond, one).range.lower)) << "of a single bad one";
  const std::vector<double> told{0, 0, 1, 1}, other{0, 1, 0, 1};
  const Auroc perfect = auroc_of(told, other, {false, false, true, true});
  EXPECT_EQ(perfect.area, 1);
  EXPECT_TRUE(std::isnan(perfect.range.lower)) << "not that it is certain";
}

TEST(Auroc, TakesBadOnesAndGoodOnes) {
  EXPECT_THROW(auroc_of(kFirst, kSecond, std::vector<bool>(kFirst.size())), Error);
  EXPECT_THROW(auroc_of(kFirst, kSecond, std::vector<bool>(kFirst.size(), true)), Error);
  EXPECT_THROW(auroc_of(kFirst, kSecond, {true, false}), Error);
}

/// Risks 0, 1 and 0 kept one after the other: 0, 1/2, 1/3.
TEST(RiskCoverage, IsTheMeanRiskOfWhatIsKept) {
  const std::vector<double> suspicion{1, 2, 3}, risks{0, 1, 0};
  const auto curve = risk_coverage(suspicion, risks);
  ASSERT_EQ(curve.size(), 3u);
  EXPECT_DOUBLE_EQ(curve[1].coverage, 2.0 / 3);
  EXPECT_DOUBLE_EQ(curve[1].risk, 0.5);
  EXPECT_DOUBLE_EQ(risk_coverage_area(suspicion, risks), (0 + 0.5 + 1.0 / 3) / 3);
}

TEST(RiskCoverage, OfTiesIsTheMeanOverTheirOrders) {
  const std::vector<double> suspicion{1, 1, 2, 2, 2}, risks{0.1, 0.9, 0.4, 0.2, 0.8};
  EXPECT_EQ(risk_coverage(suspicion, risks).size(), 2u);
  std::vector<std::size_t> order{0, 1, 2, 3, 4};
  double sum = 0;
  int orders = 0;
  do {
    std::vector<double> broken(5);
    for (std::size_t place = 0; place < 5; ++place) {
      broken[order[place]] = suspicion[order[place]] + 0.01 * static_cast<double>(place);
    }
    sum += risk_coverage_area(broken, risks);
    ++orders;
  } while (std::next_permutation(order.begin(), order.end()));
  EXPECT_NEAR(risk_coverage_area(suspicion, risks), sum / orders, 1e-12);
}

TEST(RiskCoverage, NobodyIsBetterThanWhoKnows) {
  std::mt19937_64 engine(1);
  std::uniform_real_distribution<double> uniform;
  for (int draw = 0; draw < 20; ++draw) {
    std::vector<double> suspicion(30), risks(30);
    for (double& one : suspicion) one = uniform(engine);
    for (double& one : risks) one = uniform(engine);
    EXPECT_LE(risk_coverage_area(risks, risks), risk_coverage_area(suspicion, risks));
    EXPECT_EQ(risk_coverage(suspicion, risks).back().coverage, 1);
  }
}

}  // namespace
}  // namespace mcvol
