#pragma once

#include <Eigen/Core>

namespace mcvol {

/// How far each row lies from the mean of all, by their covariance: the leverages z_i' (Z'Z + N
/// lambda I)^-1 z_i of standardised rows. In a column that is the same in all rows nothing is far.
/// @param rows [N, d]. @returns N numbers, 0 to 1.
Eigen::VectorXd leverages(const Eigen::MatrixXd& rows);

/// Means and SDs of columns after one more row, from sums over the others; an SD that is nothing
/// but rounding is 0.
struct ColumnMoments {
  Eigen::RowVectorXd mean, inverse_sd;  ///< 1 / SD; 0 where that is 0
};
/// @param mean of the columns. @param second mean of their products with themselves.
ColumnMoments column_moments(const Eigen::RowVectorXd& mean, const Eigen::VectorXd& second);

/// Of standardised columns, on the diagonal of their correlations: as many numbers as there are say
/// more than there are scans to say it of (chosen on development_2).
inline constexpr double kNumbersPenalty = 0.1;

}  // namespace mcvol
