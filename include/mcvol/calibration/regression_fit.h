#pragma once

#include "mcvol/calibration/conformal_regression.h"
#include "mcvol/calibration/regression_features.h"

#include <cstdint>
#include <vector>

namespace mcvol {

/// The scans of known volume that intervals of other scans are made from by conformal regression:
/// nothing is fitted before the scan in question is there, since it takes part.
class RegressionFit {
 public:
  /// From so many scans on the scale also knows of missed tumours: two columns more.
  static constexpr std::int64_t kLeastForMissed = 100;

  /// One of them.
  struct Scan {
    RegressionFeatures features;
    double root = 0;  ///< V^(1/3) of the reference, ml^(1/3); 0 where it counts as absent
  };

  /// What it goes by.
  enum class Passes {
    kAll,            ///< passes with and without dropout
    kWithoutDropout  ///< those without alone, to see what the others add
  };

  /// What V^(1/3) is taken to be before anything is fitted: the median of the level sets, over
  /// passes or without dropout.
  static double median_of(const RegressionFeatures& scan, Passes passes) {
    return passes == Passes::kAll ? scan.passes_median : scan.no_dropout_median;
  }

  /// @throws Error for no scan, and for numbers below 0 or beyond anything that is measured.
  explicit RegressionFit(std::vector<Scan> scans);

  std::int64_t n() const { return static_cast<std::int64_t>(scans_.size()); }
  const std::vector<Scan>& scans() const { return scans_; }

  /// The regression of V^(1/3) less median_of(), for another scan.
  RegressionRows rows_with(const RegressionFeatures& scan, Passes passes) const;

  /// Bounds of V^(1/3) of another scan, as regression_bounds() has them; below 0 where even that
  /// is possible.
  std::vector<ResidualBounds> root_bounds(const RegressionFeatures& scan, Passes passes) const;

 private:
  std::vector<Scan> scans_;
};

}  // namespace mcvol
