#pragma once

#include "mcvol/calibration/conformal_regression.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <Eigen/Dense>

namespace mcvol::testing {

/// log(|residual| + 0.02) in steps of 0.25 from log 0.02, |residual| at most 1.5.
inline double rounded_log_size(double residual) {
  const double lowest = std::log(0.02);
  const double most = std::round((std::log(1.52) - lowest) / 0.25);
  const double steps = (std::log(std::min(std::abs(residual), 1.5) + 0.02) - lowest) / 0.25;
  return lowest + 0.25 * std::clamp(std::nearbyint(steps), 0.0, most);
}

/// Studentised residuals of all rows if the residual of row 0 is this: every fit made anew from its
/// normal equations, without any of the closed forms of regression_bounds().
inline Eigen::ArrayXd studentised_residuals(const RegressionRows& rows, double residual) {
  using Eigen::MatrixXd;
  using Eigen::VectorXd;
  VectorXd r = rows.residuals;
  r[0] = residual;
  const auto count = static_cast<double>(r.size());
  MatrixXd z = rows.scale;
  for (Eigen::Index c = 1; c < z.cols(); ++c) {
    const double mean = z.col(c).mean();
    const double sd = std::sqrt((z.col(c).array() - mean).square().sum() / count);
    z.col(c) = (z.col(c).array() - mean) / (sd + 1e-9);
  }
  MatrixXd ridge = 10 * MatrixXd::Identity(z.cols(), z.cols());
  ridge(0, 0) = 0;
  VectorXd logs = z * (z.transpose() * z + ridge)
                          .fullPivLu()
                          .solve(z.transpose() * VectorXd(r.unaryExpr(&rounded_log_size)));
  std::vector<double> sorted(logs.begin(), logs.end());
  std::sort(sorted.begin(), sorted.end());
  const std::size_t half = sorted.size() / 2;
  const double median =
      sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
  const Eigen::ArrayXd scale = logs.unaryExpr([&](double one) {
                                     return std::exp(std::clamp(one - median, std::log(0.2), 3.0));
                                   })
                                   .array();
  const MatrixXd weights = scale.square().inverse().matrix().asDiagonal();
  MatrixXd penalty = 3 * MatrixXd::Identity(rows.mean.cols(), rows.mean.cols());
  penalty(0, 0) = 0;
  const MatrixXd gram = rows.mean.transpose() * weights * rows.mean + penalty;
  const MatrixXd hat = rows.mean * gram.fullPivLu().solve(rows.mean.transpose() * weights);
  const VectorXd errors = r - hat * r;
  return errors.array() / (scale * (1 - hat.diagonal().array()).sqrt());
}

/// Whether a residual of row 0 is in the prediction set that drops k at either end: at least k of
/// the n others' studentised residuals are at most its own, and at least k are at least its own.
inline bool keeps(const RegressionRows& rows, double residual, int k) {
  const Eigen::ArrayXd t = studentised_residuals(rows, residual);
  const auto others = t.tail(t.size() - 1);
  return (others <= t[0]).count() >= k && (others >= t[0]).count() >= k;
}

}  // namespace mcvol::testing
