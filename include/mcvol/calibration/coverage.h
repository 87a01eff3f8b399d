#pragma once

#include "mcvol/calibration/nominal_coverage.h"

#include <cstdint>

namespace mcvol {

struct Range {
  double lower = 0;
  double upper = 0;
};

/// k = floor((n + 1)(1 - level) / 2): the bounds of an equal-tailed conformal interval are at the
/// k-th and the (n + 1 - k)-th smallest of n scores. 0 where n references do not reach the level.
/// @throws Error for n < 0.
std::int64_t tail_rank(std::int64_t n, const NominalCoverage& level);

/// The least n whose tail_rank() is not 0: 19 for 0.9, 39 for 0.95.
std::int64_t least_references(const NominalCoverage& level);

/// 1 - 2k / (n + 1): what a conformal interval covers on average over calibration sets and scans
/// (Vovk, Gammerman, Shafer, "Algorithmic Learning in a Random World", 2005).
double expected_coverage(std::int64_t n, std::int64_t k);

/// Central range of Beta(n + 1 - 2k, 2k), the distribution over calibration sets of what one
/// calibration covers (Vovk, "Conditional validity of inductive conformal predictors", 2012).
/// @param confidence probability of the range, in (0, 1).
Range coverage_range(std::int64_t n, std::int64_t k, double confidence);

/// Interval of a proportion of which `covered` of `n` were seen (Clopper, Pearson 1934).
Range clopper_pearson(std::int64_t covered, std::int64_t n, double confidence);

}  // namespace mcvol
