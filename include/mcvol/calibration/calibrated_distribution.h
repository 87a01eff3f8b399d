#pragma once

#include "mcvol/calibration/region_calibration.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace mcvol {

/// What a method makes of one region of one scan: the distribution of its volume as n calibration
/// scans say it, and intervals of it. What takes long is made once, when it is first asked for; not
/// thread-safe.
class CalibratedDistribution {
 public:
  /// Continuous ranked probability score of V^(1/3) in ml^(1/3) and of V in ml.
  struct Crps {
    double root;
    double ml;
  };

  virtual ~CalibratedDistribution() = default;

  /// None where the scans are too few for the level. Of a regression it is the pair of its ends at
  /// k of tail_rank(), each of which is valid by itself.
  virtual std::optional<PredictionInterval> interval(const NominalCoverage& level) = 0;
  /// In ml; of a regression of an even number of scans the middle, as V^(1/3), of its two innermost
  /// ends.
  virtual double median_ml() = 0;
  /// Probability integral transform of a known volume: (rank - 1/2) / (n + 1), its rank among
  /// points_ml() and itself; an absent one by atom_uniform() among the absent, where the method
  /// ranks (kConformal, kNoDropout) or regresses. Uniform where the calibration holds; of a
  /// regression to the little that its ends lie further out than need be.
  virtual double pit(double volume_ml) = 0;
  /// Quantiles i / (n + 1), i = 1 … n, in ml, ascending: where the scan's score reaches the i-th
  /// smallest of the calibration scans' (the conformal predictive distribution of Vovk et al. 2019,
  /// under the rho that those choose). Of a regression its lower ends from without to within, then
  /// its upper ends from within to without.
  virtual std::vector<double> points_ml() = 0;
  /// Of points_ml(), equally likely.
  virtual Crps crps(double volume_ml) = 0;
};

/// @param prediction, stratum have to outlive it.
/// @throws CalibrationError where the stratum has no fit of the method, or the prediction not what
///   the method takes.
std::unique_ptr<CalibratedDistribution> calibrated_distribution(
    const RegionPrediction& prediction, const RegionCalibration::Stratum& stratum,
    IntervalMethod method, const RegressionFeatures* features = nullptr);

}  // namespace mcvol
