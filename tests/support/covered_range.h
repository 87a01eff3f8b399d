#pragma once

#include "mcvol/calibration/coverage.h"

#include <cmath>
#include <cstdint>

namespace mcvol::testing {

/// log P(X = x) of BetaBinomial(trials, a, b).
inline double log_beta_binomial(std::int64_t x, std::int64_t trials, double a, double b) {
  const auto hits = static_cast<double>(x);
  const auto misses = static_cast<double>(trials - x);
  const auto log_beta = [](double p, double q) {
    return std::lgamma(p) + std::lgamma(q) - std::lgamma(p + q);
  };
  return log_beta(hits + a, misses + b) - log_beta(a, b) -
         std::log(static_cast<double>(trials) + 1) - log_beta(hits + 1, misses + 1);
}

/// Central range of the number covered of `trials` scans by one calibration of n references:
/// BetaBinomial(trials, n + 1 - 2k, 2k), at least `confidence` of its probability.
inline Range covered_range(std::int64_t trials, std::int64_t n, std::int64_t k, double confidence) {
  // BetaBinomial(trials, n + 1 - 2k, 2k)
  const auto a = static_cast<double>(n + 1 - 2 * k), b = static_cast<double>(2 * k);
  const double tail = (1 - confidence) / 2;
  const auto probability = [&](std::int64_t x) {
    return std::exp(log_beta_binomial(x, trials, a, b));
  };
  std::int64_t lower = 0;
  for (double below = probability(0); below <= tail && lower < trials; ++lower) {
    below += probability(lower + 1);
  }
  std::int64_t upper = trials;
  for (double above = probability(trials); above <= tail && upper > 0; --upper) {
    above += probability(upper - 1);
  }
  return {static_cast<double>(lower), static_cast<double>(upper)};
}

}  // namespace mcvol::testing
