#pragma once

#include <vector>

#include <Eigen/Core>

namespace mcvol {

/// A weighted ridge regression whose first row has no response yet: row 0 is the scan in question,
/// rows 1 to n are the calibration scans.
struct RegressionRows {
  Eigen::MatrixXd mean;       ///< [n + 1, p], what the residual is regressed on; column 0 is 1
  Eigen::MatrixXd scale;      ///< [n + 1, q], what its log scale is regressed on; column 0 is 1
  Eigen::VectorXd residuals;  ///< [n + 1], ml^(1/3); the first is never read
};

/// From where to where the residual of row 0 may lie, ml^(1/3); ±infinity where nothing bounds it.
struct ResidualBounds {
  double lower = 0;
  double upper = 0;
};

/// Full conformal regression with a fitted scale (docs/method.md, "Regression"): row 0 takes part
/// in the fits of scale and mean with every residual that it may have, in closed form, so that its
/// studentised residual and those of the calibration scans are exchangeable and the bounds exact.
///
/// The k-th element holds the residual with probability at least 1 - 2 (k + 1) / (n + 1), its
/// ends with at least 1 - (k + 1) / (n + 1) each; k from 0 to floor((n + 1) / 2) - 1. Bounds are
/// nested: each element lies within the one before it.
/// @throws Error unless all have as many rows, at least two, and columns 0 that are 1.
std::vector<ResidualBounds> regression_bounds(const RegressionRows& rows);

/// The same of each side by itself: the k-th lower end, k from 0 to n - 1, lies above the residual
/// with probability at most (k + 1) / (n + 1), whatever is said of the upper ones, and the other
/// way round. regression_bounds() leave out what is beyond the other side too, and their ends lie
/// no further out.
std::vector<ResidualBounds> one_sided_regression_bounds(const RegressionRows& rows);

/// Columns of mean 0 and SD 1 over all rows; the first, of ones, stays.
Eigen::MatrixXd standardised(const Eigen::MatrixXd& columns);

}  // namespace mcvol
