#pragma once

#include "mcvol/calibration/calibrated_volume.h"

#include <span>
#include <vector>

namespace mcvol {

/// How the errors of two scans of one subject hang together.
struct ChangeDependence {
  enum class Kind {
    kCorrelation,  ///< Gaussian copula between the two calibrated distributions
    kBonferroni,   ///< nothing is assumed: intervals only, valid for any dependence, wider
  };
  Kind kind = Kind::kCorrelation;
  double correlation = 0;  ///< of the normal scores, -1 to 1; 0: independent
};

/// Change of a region's volume between two scans, follow-up less baseline.
struct VolumeChange {
  double change_ml = 0;                       ///< median; of kBonferroni the difference of medians
  std::vector<PredictionInterval> intervals;  ///< one per level, in ml, signed
  /// Under kCorrelation only; they sum to 1. Growth: follow-up > baseline (1 + threshold);
  /// shrinkage: follow-up < baseline (1 - threshold). Neither is surer than n calibration scans can
  /// say: both lie in [1/(n+1), n/(n+1)].
  double p_growth = 0;
  double p_shrinkage = 0;
  double p_tie = 0;
};

/// V_j = G_j^-1(Phi(X_j)) with G_j the calibrated distributions and corr(X_1, X_2) = `correlation`,
/// on a fixed grid of X: the same numbers in every run.
/// @param baseline_ml, followup_ml of CalibratedDistribution::points_ml(). @param growth_threshold
/// relative to
///   the baseline, in [0, 1).
VolumeChange correlated_change(std::span<const double> baseline_ml,
                               std::span<const double> followup_ml, double correlation,
                               double growth_threshold, std::span<const NominalCoverage> levels);

/// The level that each of two intervals needs for both to hold at `level`: (1 + level) / 2.
NominalCoverage bonferroni_level(const NominalCoverage& level);

/// [L2 - U1, U2 - L1] of two estimates at bonferroni_level() of each level.
VolumeChange bonferroni_change(const VolumeEstimate& baseline, const VolumeEstimate& followup);

}  // namespace mcvol
