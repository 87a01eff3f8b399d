#pragma once

#include "mcvol/image/image_quality.h"

#include <span>
#include <string>
#include <vector>

namespace mcvol {

/// How a batch of scans differs from those of a calibration.
struct BatchComparison {
  double p_value = 1;
  /// A number that differs, by how many standard errors of its mean rank, in words.
  struct Difference {
    std::string number;    ///< "noise (flair)"
    bool scatter = false;  ///< it differs in how far it scatters, not in where it lies
    double z = 0;          ///< above 0: larger, or scattered further, in the batch
  };
  /// Those furthest apart, at most three, no two of the same quantity; whatever the p-value says.
  std::vector<Difference> differences;
};

/// Permutation test of the hypothesis that the scans of a batch and those of a calibration are
/// drawn alike, by their image quality metrics. Four statistics, of the ranks among all scans: the
/// sum over numbers of squared differences of mean ranks, and the largest of them; the sum of those
/// of distances from the median; and the difference of mean ranks of the scans' leverage. The
/// smallest of their p-values is judged by those of the same permutations (Westfall and Young,
/// "Resampling-based multiple testing", 1993). Over the draw of the permutations P(p <= a) <= a for
/// scans drawn alike, whatever their distribution; they are drawn once and for all.
///
/// @param channels their names, for the words. @throws Error where either is empty, or scans differ
///   in the number of channels.
BatchComparison compare_batch(std::span<const ImageQuality> calibration,
                              std::span<const ImageQuality> batch,
                              const std::vector<std::string>& channels);
inline constexpr int kBatchPermutations = 1999;

}  // namespace mcvol
