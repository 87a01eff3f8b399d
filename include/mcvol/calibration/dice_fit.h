#pragma once

#include "mcvol/calibration/conformal_regression.h"
#include "mcvol/calibration/nominal_coverage.h"
#include "mcvol/calibration/segmentation_features.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace mcvol {

/// The Dice similarity coefficient that a segmentation would have with its reference.
struct ExpectedDice {
  double median = 0;  ///< [0, 1]
  /// One per level: the Dice is at least this with that probability; none where the scans are too
  /// few for the level.
  std::vector<std::optional<double>> lower;
};

/// Segmentations of known Dice that the Dice of others is expected from, by the same conformal
/// regression as volumes (docs/method.md, "Expected Dice"): the scan in question takes part, so
/// that lower bounds are exact, each by itself.
class DiceFit {
 public:
  struct Scan {
    SegmentationFeatures features;
    double dice = 0;
  };

  /// As many as references of volumes at level 0.9.
  static constexpr std::int64_t kLeastScans = 19;

  /// @throws Error for no scan, and for numbers that are no Dice or no features.
  explicit DiceFit(std::vector<Scan> scans);

  std::int64_t n() const { return static_cast<std::int64_t>(scans_.size()); }
  const std::vector<Scan>& scans() const { return scans_; }

  /// The regression of the Dice less that between passes, for another scan.
  RegressionRows rows_with(const SegmentationFeatures& scan) const;

  ExpectedDice expect(const SegmentationFeatures& scan,
                      std::span<const NominalCoverage> levels) const;

 private:
  std::vector<Scan> scans_;
};

/// k = floor((n + 1)(1 - level)): a one-sided bound is missed by k of n + 1 scans on average. 0
/// where n do not reach the level.
std::int64_t one_sided_rank(std::int64_t n, const NominalCoverage& level);

/// The expected Dice up to which a share of the scans lie, each expected from those of other folds.
/// @param folds of the scans. @param share from 0 to 1. @throws Error for folds of other scans.
double usual_least_dice(const DiceFit& fit, std::span<const std::size_t> folds, double share);

}  // namespace mcvol
