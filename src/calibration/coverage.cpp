#include "mcvol/calibration/coverage.h"

#include "mcvol/error/error.h"

#include <string>

#include <boost/math/distributions/beta.hpp>

namespace mcvol {

namespace {

using Beta = boost::math::beta_distribution<double>;

Beta coverage_distribution(std::int64_t n, std::int64_t k) {
  if (k < 1 || 2 * k > n) {
    throw Error("coverage: expected a rank from 1 to n / 2, found " + std::to_string(k) + " of " +
                std::to_string(n));
  }
  return {static_cast<double>(n + 1 - 2 * k), static_cast<double>(2 * k)};
}

}  // namespace

std::int64_t tail_rank(std::int64_t n, const NominalCoverage& level) {
  if (n < 0) throw Error("tail rank: expected n >= 0, found " + std::to_string(n));
  return (n + 1) * (level.denominator - level.numerator) / (2 * level.denominator);
}

std::int64_t least_references(const NominalCoverage& level) {
  const std::int64_t missed = level.denominator - level.numerator;
  return (2 * level.denominator + missed - 1) / missed - 1;
}

double expected_coverage(std::int64_t n, std::int64_t k) {
  return 1 - 2 * static_cast<double>(k) / static_cast<double>(n + 1);
}

Range coverage_range(std::int64_t n, std::int64_t k, double confidence) {
  const Beta beta = coverage_distribution(n, k);
  const double tail = (1 - confidence) / 2;
  return {boost::math::quantile(beta, tail), boost::math::quantile(complement(beta, tail))};
}

Range clopper_pearson(std::int64_t covered, std::int64_t n, double confidence) {
  if (covered < 0 || covered > n) {
    throw Error("Clopper-Pearson: expected 0 to " + std::to_string(n) + ", found " +
                std::to_string(covered));
  }
  const double tail = (1 - confidence) / 2;
  const auto hits = static_cast<double>(covered);
  const auto misses = static_cast<double>(n - covered);
  Range range{0, 1};
  if (covered > 0) range.lower = boost::math::quantile(Beta(hits, misses + 1), tail);
  if (covered < n) range.upper = boost::math::quantile(complement(Beta(hits + 1, misses), tail));
  return range;
}

}  // namespace mcvol
