#include "mcvol/calibration/coverage.h"

#include "mcvol/error/error.h"

#include <gtest/gtest.h>

namespace mcvol {
namespace {

// (n + 1)(1 - level) / 2 is a whole number here, and doubles would fall short of it.
TEST(TailRank, IsExactWhereDoublesLoseOne) {
  EXPECT_EQ(tail_rank(19, NominalCoverage::parse("0.9")), 1);
  EXPECT_EQ(tail_rank(39, NominalCoverage::parse("0.95")), 1);
  EXPECT_EQ(tail_rank(99, NominalCoverage::parse("0.98")), 1);
  EXPECT_EQ(tail_rank(199, NominalCoverage::parse("0.9")), 10);
  EXPECT_EQ(tail_rank(18, NominalCoverage::parse("0.9")), 0);
  EXPECT_EQ(tail_rank(0, NominalCoverage::parse("0.5")), 0);
}

TEST(LeastReferences, IsTheFirstNumberThatReachesTheLevel) {
  for (const char* text : {"0.5", "0.8", "0.9", "0.95", "0.99", "0.683", "0.1"}) {
    const NominalCoverage level = NominalCoverage::parse(text);
    const std::int64_t least = least_references(level);
    EXPECT_EQ(tail_rank(least, level), 1) << text;
    EXPECT_EQ(tail_rank(least - 1, level), 0) << text;
  }
  EXPECT_EQ(least_references(NominalCoverage::parse("0.9")), 19);
  EXPECT_EQ(least_references(NominalCoverage::parse("0.95")), 39);
}

TEST(ExpectedCoverage, IsAtLeastTheLevel) {
  const NominalCoverage level = NominalCoverage::parse("0.9");
  for (const std::int64_t n : {19, 20, 50, 200, 999}) {
    EXPECT_GE(expected_coverage(n, tail_rank(n, level)), 0.9 - 1e-15) << n;
  }
  EXPECT_DOUBLE_EQ(expected_coverage(19, 1), 0.9);
}

TEST(CoverageRange, RefusesARankOutOfRange) {
  EXPECT_THROW(coverage_range(19, 0, 0.9), Error);
  EXPECT_THROW(coverage_range(19, 10, 0.9), Error);
  EXPECT_THROW(clopper_pearson(11, 10, 0.95), Error);
}

}  // namespace
}  // namespace mcvol
