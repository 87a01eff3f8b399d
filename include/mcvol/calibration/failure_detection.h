#pragma once

#include "mcvol/calibration/coverage.h"

#include <cstdint>
#include <span>
#include <vector>

namespace mcvol {

/// How well numbers tell bad segmentations from good ones; the larger a number, the more it says
/// that one is bad.

/// Area under the receiver operating characteristic: how often a bad one has the larger number, of
/// all pairs with a good one, ties by half.
struct Auroc {
  double area = 0;
  /// 95 %, of its normal distribution, within 0 and 1; NaN where nothing scatters: of fewer than
  /// two bad or good ones, and where all of one kind lie beyond all of the other.
  Range range;
  /// What a second number reaches on the same ones is subtracted.
  double difference = 0;
  Range difference_range;  ///< 95 %, NaN likewise
};

/// DeLong, DeLong, Clarke-Pearson, Biometrics 44, 1988.
/// @param other another number of the same ones. @throws Error for lengths that differ, and where
///   all or none are bad.
Auroc auroc_of(std::span<const double> suspicion, std::span<const double> other,
               const std::vector<bool>& bad);

/// Mean risk of those kept at a share of them.
struct RiskAtCoverage {
  double coverage = 0;  ///< share kept, above 0
  double risk = 0;
};

/// The least suspicious first, those that tie at once. @throws Error for lengths that differ.
std::vector<RiskAtCoverage> risk_coverage(std::span<const double> suspicion,
                                          std::span<const double> risks);

/// Area under it: the mean over all numbers kept, from one to all of them, of the mean risk of
/// those kept (Geifman, Uziel, El-Yaniv, "Bias-reduced uncertainty estimation for deep neural
/// classifiers", ICLR 2019). Ones that tie stay in expectation over their orders.
double risk_coverage_area(std::span<const double> suspicion, std::span<const double> risks);

}  // namespace mcvol
