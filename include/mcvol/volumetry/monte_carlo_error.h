#pragma once

#include "mcvol/volumetry/volume_distribution.h"

#include <optional>

namespace mcvol {

/// Standard errors of the bounds of a prediction interval, in ml: how far they would scatter if the
/// passes were drawn anew. They say nothing of whether the interval holds the true volume.
struct MonteCarloError {
  double lower_ml = 0;
  double upper_ml = 0;
  bool operator==(const MonteCarloError&) const = default;
};

/// Of the quantiles Q(p), p = (1 ± level) / 2, of a mixture over passes: the larger of two
/// estimates, which are the same where passes are close to each other.
///
/// The jackknife: each round of passes is left out once, SE² = (R - 1) / R sum (q_(r) - mean q)²
/// over R rounds (Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, ch. 11). The
/// quantiles are smooth in the mean of the passes' distribution functions, for which that is
/// consistent; quantiles of a sample are not. But where some passes are far from the others, as
/// when they lose a tumour, leaving out one of them moves no bound that lies among several.
///
/// Woodruff's interval: (Q(p + d) - Q(p - d)) / 2, d the standard error of the mean of the rounds'
/// distribution functions at Q(p) ("Confidence intervals for medians and other position measures",
/// JASA 47, 1952), with no tail cut to less than a tenth.
///
/// @param volumes of a random sampler. @param level in (0, 1).
/// @param networks consecutive passes that make up a round, one of each network of an ensemble; the
///   passes are a multiple of it.
/// @returns none of a single round. @throws Error on an argument out of range.
std::optional<MonteCarloError> monte_carlo_error(const VolumeDistribution& volumes, double level,
                                                 int networks = 1);

}  // namespace mcvol
