#pragma once

#include "scan_numbers.h"
#include <Eigen/Core>

namespace mcvol {

/// Of standardised columns, on the diagonal of their correlations: as many numbers as there are say
/// more than there are scans to say it of (chosen on development_2).
inline constexpr double kNumbersPenalty = 0.1;

/// 1 / SD of columns of these variances and mean squares; 0 where a column's SD is nothing but
/// rounding.
Eigen::VectorXd inverse_sds(const Eigen::VectorXd& variances, const Eigen::VectorXd& mean_squares);

/// How far each row lies from the mean of all, by their covariance: the leverages z_i' (Z'Z + N
/// lambda I)^-1 z_i of standardised rows. In a column that is the same in all rows nothing is far.
/// @param rows [N, d]. @returns N numbers, 0 to 1.
Eigen::VectorXd leverages(const Eigen::MatrixXd& rows);

/// The leverages of one scan, first, and those of a table, which does not change, together.
class Leverages {
 public:
  explicit Leverages(std::vector<NumberRow> rows);
  Eigen::VectorXd with(const NumberRow& scan) const;

 private:
  std::vector<NumberRow> raw_;
  NumberTable table_;
  Eigen::MatrixXd products_;  ///< sums over scans
};

}  // namespace mcvol
