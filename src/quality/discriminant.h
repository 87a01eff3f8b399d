#pragma once

#include "scan_numbers.h"
#include <Eigen/Core>

namespace mcvol {

/// Fisher's linear discriminant between scans as they are and the same scans with a fault, and of
/// which of the two one scan more looks like. It takes part in the means and covariances.
class Discriminant {
 public:
  /// @param with_fault rows of the same scans, in the same order.
  Discriminant(std::vector<NumberRow> as_is, std::vector<NumberRow> with_fault);

  /// Log odds of the fault for each scan as it is: the one in question first, then the others.
  Eigen::VectorXd log_odds(const NumberRow& scan, const NumberRow& scan_with_fault) const;

 private:
  std::vector<NumberRow> raw_as_is_, raw_faulty_;
  NumberTable as_is_, faulty_;
  Eigen::MatrixXd products_;  ///< sums over scans, of both tables
};

}  // namespace mcvol
