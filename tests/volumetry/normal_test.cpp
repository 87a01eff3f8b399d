#include "mcvol/volumetry/normal.h"

#include "mcvol/error/error.h"

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "support/infinity.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

// from scipy.special import log_ndtr; [log_ndtr(z) for z in (-50, -30, -29.9, -10, -1, 0, 3, 9)]
TEST(Normal, LogCdfMatchesScipyInBothTails) {
  const std::vector<std::pair<double, double>> table{
      {-50.0, -1254.8313611394199},  {-30.0, -454.32124395634327},  {-29.9, -451.3229124585287},
      {-10.0, -53.23128515051248},   {-1.0, -1.8410216450092634},   {0.0, -0.6931471805599453},
      {3.0, -0.0013508099647481925}, {9.0, -1.1285884059538324e-19}};
  for (const auto& [z, expected] : table) {
    EXPECT_NEAR(normal_log_cdf(z) / expected, 1, 1e-11) << "z = " << z;
  }
}

TEST(Normal, ProbitFromLogsInvertsFarBeyondWhereProbabilitiesUnderflow) {
  for (const double z : {-1e6, -1000.0, -50.0, -36.5, -5.0, -0.1, 0.0, 0.3, 7.0, 40.0, 2000.0}) {
    EXPECT_NEAR(probit_from_logs(normal_log_cdf(z), normal_log_cdf(-z)), z,
                1e-9 * std::max(1.0, std::abs(z)));
  }
  EXPECT_EQ(probit_from_logs(-kInfinity, 0), -kInfinity);
  EXPECT_EQ(probit_from_logs(0, -kInfinity), kInfinity);
}

// from scipy.stats import norm; [norm.ppf(p) for p in (1e-10, 0.05, 0.5, 0.975)]
TEST(Normal, ProbitMatchesScipyAndItsEndsAreInfinite) {
  EXPECT_NEAR(probit(1e-10), -6.361340902404056, 1e-12);
  EXPECT_NEAR(probit(0.05), -1.6448536269514729, 1e-14);
  EXPECT_EQ(probit(0.5), 0);
  EXPECT_NEAR(probit(0.975), 1.959963984540054, 1e-14);
  EXPECT_EQ(probit(0), -kInfinity);
  EXPECT_EQ(probit(1), kInfinity);
  EXPECT_THROW(probit(-0.1), Error);
  EXPECT_THROW(probit(std::nan("")), Error);
}

}  // namespace
}  // namespace mcvol
