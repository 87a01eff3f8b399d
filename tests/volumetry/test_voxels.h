#pragma once

#include "mcvol/volumetry/logit_histogram.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <vector>

namespace mcvol {

/// Logits of a made-up scan: background voxels whose probabilities are log-uniform in [1e-7, 1e-3],
/// and a ball of voxels whose logit falls linearly from its centre outwards: 0 at radius
/// `half`, then on to -8.4.
/// Evenly spaced instead of random, so that a count does not carry the noise of a sample.
inline std::vector<float> scan_logits(std::size_t background, std::size_t ball, double half) {
  std::vector<float> logits;
  logits.reserve(background + ball);
  const auto spaced = [](std::size_t i, std::size_t count) {
    return (static_cast<double>(i) + 0.5) / static_cast<double>(count);
  };
  for (std::size_t i = 0; i < background; ++i) {
    const double p = 1e-7 * std::pow(1e4, spaced(i, background));
    logits.push_back(static_cast<float>(std::log(p) - std::log1p(-p)));
  }
  for (std::size_t i = 0; i < ball; ++i) {
    const double radius = (half + 0.7) * std::cbrt(spaced(i, ball));
    logits.push_back(static_cast<float>(12 * (half - radius)));
  }
  return logits;
}

inline LogitHistogram histogram_of(std::span<const float> logits) {
  LogitHistogram histogram;
  histogram.add(logits);
  return histogram;
}

/// Probabilities of the voxels, ascending.
inline std::vector<double> sorted_probabilities(std::span<const float> logits) {
  std::vector<double> p;
  p.reserve(logits.size());
  for (const float logit : logits) p.push_back(1 / (1 + std::exp(-static_cast<double>(logit))));
  std::sort(p.begin(), p.end());
  return p;
}

/// Number of voxels with p > threshold, counted one by one.
inline double count_above(const std::vector<double>& sorted, double threshold) {
  return static_cast<double>(sorted.end() -
                             std::upper_bound(sorted.begin(), sorted.end(), threshold));
}

}  // namespace mcvol
