#include "mcvol/calibration/conformal_regression.h"

#include "mcvol/error/error.h"
#include "mcvol/files/json_fields.h"
#include "mcvol/files/text_file.h"

#include <cmath>
#include <random>
#include <stdexcept>

#include "calibration/brute_force_regression.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using Eigen::Index;

/// Rows whose residuals scatter as far as one of their columns says, and lean on another.
RegressionRows random_rows(int n, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal;
  RegressionRows rows{Eigen::MatrixXd(n + 1, 2), Eigen::MatrixXd(n + 1, 4), Eigen::VectorXd(n + 1)};
  for (Index i = 0; i <= n; ++i) {
    const double size = std::exp(normal(engine));
    const double spread = normal(engine);
    rows.mean.row(i) << 1, size;
    rows.scale.row(i) << 1, spread, normal(engine), std::log(size);
    rows.residuals[i] = 0.1 + 0.05 * size + 0.2 * std::exp(0.7 * spread) * normal(engine);
  }
  return rows;
}

TEST(RegressionBounds, AreTheHullOfWhatEveryFitMadeAnewKeeps) {
  for (const int n : {19, 20, 57}) {
    for (unsigned seed = 0; seed < 8; ++seed) {
      const RegressionRows rows = random_rows(n, seed);
      const auto bounds = regression_bounds(rows);
      ASSERT_EQ(bounds.size(), static_cast<std::size_t>((n + 1) / 2));
      for (const std::size_t k : {1, 2, 5, 9}) {
        const auto [lower, upper] = bounds[k - 1];
        const double beyond = 1e-6 * (1 + upper - lower);
        const int rank = static_cast<int>(k);
        EXPECT_FALSE(testing::keeps(rows, lower - beyond, rank)) << n << " " << seed << " " << k;
        EXPECT_TRUE(testing::keeps(rows, lower + beyond, rank)) << n << " " << seed << " " << k;
        EXPECT_TRUE(testing::keeps(rows, upper - beyond, rank)) << n << " " << seed << " " << k;
        EXPECT_FALSE(testing::keeps(rows, upper + beyond, rank)) << n << " " << seed << " " << k;
        for (int step = 1; step < 400; ++step) {
          const double out = 0.01 * step * (1 + upper - lower);
          EXPECT_FALSE(testing::keeps(rows, lower - out, rank)) << n << " " << seed << " " << k;
          EXPECT_FALSE(testing::keeps(rows, upper + out, rank)) << n << " " << seed << " " << k;
        }
      }
    }
  }
}

TEST(RegressionBounds, StudentisedResidualsRiseWithTheOnesOwnWhateverTheRows) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    const RegressionRows rows = random_rows(25, 1000 + seed);
    // Between two roundings the scale stays as it is.
    const Eigen::ArrayXd low = testing::studentised_residuals(rows, 0.301);
    const Eigen::ArrayXd high = testing::studentised_residuals(rows, 0.302);
    ASSERT_EQ(testing::rounded_log_size(0.301), testing::rounded_log_size(0.302));
    const Eigen::ArrayXd gained = (high - high[0]) - (low - low[0]);
    EXPECT_LE(gained.maxCoeff(), 1e-12) << seed;
  }
}

/// Rows that stretch a regression: one far from all others, twins of the first, rows of zeros.
RegressionRows stretched_rows(int n, unsigned seed) {
  RegressionRows rows = random_rows(n, seed);
  rows.mean(seed % static_cast<unsigned>(n + 1), 1) *= 100;
  rows.mean.row(n) = rows.mean.row(0);
  rows.scale.row(n) = rows.scale.row(0);
  rows.mean(n - 1, 1) = 0;
  rows.scale.row(n - 1) << 1, 0, 0, 0;
  rows.residuals[n - 1] = 0;
  return rows;
}

TEST(RegressionBounds, StudentisedResidualsRiseWhereOneRowPullsTheRegressionToo) {
  for (const int n : {4, 9, 30}) {
    for (unsigned seed = 0; seed < 60; ++seed) {
      const RegressionRows rows = stretched_rows(n, seed);
      for (const double at : {-3.0, -0.4, 0.001, 0.12, 0.8, 5.0}) {
        ASSERT_EQ(testing::rounded_log_size(at), testing::rounded_log_size(at + 1e-4));
        const Eigen::ArrayXd low = testing::studentised_residuals(rows, at);
        const Eigen::ArrayXd high = testing::studentised_residuals(rows, at + 1e-4);
        const Eigen::ArrayXd gained = (high - high[0]) - (low - low[0]);
        EXPECT_LE(gained.maxCoeff(), 1e-11) << n << " " << seed << " " << at;
      }
    }
  }
}

TEST(RegressionBounds, AreTheHullWhereOneRowPullsTheRegressionToo) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const RegressionRows rows = stretched_rows(24, seed);
    const auto bounds = regression_bounds(rows);
    for (const int k : {1, 3}) {
      const auto [lower, upper] = bounds[static_cast<std::size_t>(k) - 1];
      const double beyond = 1e-6 * (1 + upper - lower);
      EXPECT_FALSE(testing::keeps(rows, lower - beyond, k)) << seed << " " << k;
      EXPECT_TRUE(testing::keeps(rows, lower + beyond, k)) << seed << " " << k;
      EXPECT_TRUE(testing::keeps(rows, upper - beyond, k)) << seed << " " << k;
      EXPECT_FALSE(testing::keeps(rows, upper + beyond, k)) << seed << " " << k;
    }
  }
}

TEST(RegressionBounds, LieWithinEachOtherAndFollowTheResiduals) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    RegressionRows rows = random_rows(120, 500 + seed);
    const auto bounds = regression_bounds(rows);
    for (std::size_t k = 1; k < bounds.size(); ++k) {
      EXPECT_GE(bounds[k].lower, bounds[k - 1].lower);
      EXPECT_LE(bounds[k].upper, bounds[k - 1].upper);
      EXPECT_LE(bounds[k].lower, bounds[k].upper);
    }
    // The mirror image of the residuals has the mirror image of the bounds.
    rows.residuals *= -1;
    const auto mirrored = regression_bounds(rows);
    EXPECT_NEAR(mirrored[5].lower, -bounds[5].upper, 1e-12);
    EXPECT_NEAR(mirrored[5].upper, -bounds[5].lower, 1e-12);
  }
}

TEST(RegressionBounds, DoNotDependOnTheOrderOfTheScansNorOnTheirOwnResidual) {
  RegressionRows rows = random_rows(40, 3);
  const auto bounds = regression_bounds(rows);
  const RegressionRows before = rows;
  for (Index i = 1; i <= 40; ++i) {
    rows.mean.row(i) = before.mean.row(41 - i);
    rows.scale.row(i) = before.scale.row(41 - i);
    rows.residuals[i] = before.residuals[41 - i];
  }
  rows.residuals[0] = 1e9;
  const auto again = regression_bounds(rows);
  for (std::size_t k = 0; k < bounds.size(); ++k) {
    EXPECT_NEAR(again[k].lower, bounds[k].lower, 1e-10);
    EXPECT_NEAR(again[k].upper, bounds[k].upper, 1e-10);
  }
}

TEST(RegressionBounds, OfScansThatAreAllAlikeAreTheirResidual) {
  RegressionRows rows{Eigen::MatrixXd::Ones(31, 2), Eigen::MatrixXd::Ones(31, 3),
                      Eigen::VectorXd::Zero(31)};
  const auto bounds = regression_bounds(rows);
  for (const ResidualBounds& one : bounds) {
    EXPECT_NEAR(one.lower, 0, 1e-9);
    EXPECT_NEAR(one.upper, 0, 1e-9);
  }
}

TEST(RegressionBounds, RefuseRowsThatAreNone) {
  RegressionRows rows = random_rows(5, 1);
  rows.mean(2, 0) = 0.5;
  EXPECT_THROW(regression_bounds(rows), Error);
  rows = random_rows(5, 1);
  rows.scale.conservativeResize(4, Eigen::NoChange);
  EXPECT_THROW(regression_bounds(rows), Error);
}

/// tests/calibration/make_regression_reference.py wrote them, by numpy.
TEST(RegressionBounds, AreThoseOfTheReferenceInPython) {
  const nlohmann::json reference =
      parse_json(read_file(MCVOL_REGRESSION_REFERENCE), MCVOL_REGRESSION_REFERENCE,
                 [](const std::string& message) { throw std::runtime_error(message); });
  ASSERT_GE(reference.at("designs").size(), 10u);
  for (const auto& design : reference.at("designs")) {
    const auto mean = design.at("mean").get<std::vector<std::vector<double>>>();
    const auto scale = design.at("scale").get<std::vector<std::vector<double>>>();
    const auto residuals = design.at("residuals").get<std::vector<double>>();
    const auto count = static_cast<Index>(mean.size());
    RegressionRows rows{Eigen::MatrixXd(count, static_cast<Index>(mean[0].size())),
                        Eigen::MatrixXd(count, static_cast<Index>(scale[0].size())),
                        Eigen::VectorXd(count)};
    for (Index i = 0; i < count; ++i) {
      for (Index c = 0; c < rows.mean.cols(); ++c) rows.mean(i, c) = mean[i][c];
      for (Index c = 0; c < rows.scale.cols(); ++c) rows.scale(i, c) = scale[i][c];
      rows.residuals[i] = residuals[i];
    }
    const auto bounds = regression_bounds(rows);
    for (const auto& expected : design.at("bounds")) {
      const auto& found = bounds[expected.at("k").get<std::size_t>() - 1];
      EXPECT_NEAR(found.lower, expected.at("lower").get<double>(), 1e-9) << expected;
      EXPECT_NEAR(found.upper, expected.at("upper").get<double>(), 1e-9) << expected;
    }
  }
}

}  // namespace
}  // namespace mcvol
