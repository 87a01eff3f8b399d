#include "leverage.h"

#include <cmath>

#include <Eigen/Cholesky>

namespace mcvol {

namespace {

/// @param covariance of the rows, whose mean is `mean`.
Eigen::VectorXd leverages_by(const Eigen::MatrixXd& covariance, const Eigen::RowVectorXd& mean,
                             const Eigen::MatrixXd& rows) {
  const auto count = static_cast<double>(rows.rows());
  const Eigen::VectorXd variances = covariance.diagonal();
  const Eigen::VectorXd scale = inverse_sds(variances, variances + mean.cwiseAbs2().transpose());
  Eigen::MatrixXd gram = count * (scale.asDiagonal() * covariance * scale.asDiagonal());
  gram.diagonal().array() += kNumbersPenalty * count;
  const Eigen::MatrixXd z = scale.asDiagonal() * (rows.rowwise() - mean).transpose();
  return gram.llt().matrixL().solve(z).colwise().squaredNorm().transpose();
}

}  // namespace

Eigen::VectorXd inverse_sds(const Eigen::VectorXd& variances, const Eigen::VectorXd& mean_squares) {
  Eigen::VectorXd inverse = Eigen::VectorXd::Zero(variances.size());
  for (Eigen::Index c = 0; c < inverse.size(); ++c) {
    if (variances[c] > 1e-18 && variances[c] > 1e-15 * mean_squares[c]) {
      inverse[c] = 1 / std::sqrt(variances[c]);
    }
  }
  return inverse;
}

Eigen::VectorXd leverages(const Eigen::MatrixXd& rows) {
  const Eigen::RowVectorXd mean = rows.colwise().mean();
  const Eigen::MatrixXd centred = rows.rowwise() - mean;
  const auto count = static_cast<double>(rows.rows());
  return leverages_by(centred.transpose() * centred / count, mean, rows);
}

Leverages::Leverages(std::vector<NumberRow> rows)
    : raw_(std::move(rows)), table_(raw_), products_(table_.rows.transpose() * table_.rows) {}

Eigen::VectorXd Leverages::with(const NumberRow& scan) const {
  // What is missing stands at the mean of all, the scan's own numbers among them: only then do all
  // count alike.
  if (!table_.complete || !is_complete(scan)) {
    return leverages(NumberTable(with_first(scan, raw_)).rows);
  }
  Eigen::MatrixXd rows(table_.rows.rows() + 1, table_.rows.cols());
  rows << table_.centred(scan), table_.rows;
  const auto count = static_cast<double>(rows.rows());
  const Eigen::RowVectorXd mean = rows.row(0) / count;  // that of the others is 0
  return leverages_by(
      (products_ + rows.row(0).transpose() * rows.row(0)) / count - mean.transpose() * mean, mean,
      rows);
}

}  // namespace mcvol
