#include "leverage.h"

#include <cmath>

#include <Eigen/Cholesky>

namespace mcvol {

ColumnMoments column_moments(const Eigen::RowVectorXd& mean, const Eigen::VectorXd& second) {
  ColumnMoments moments{mean, Eigen::RowVectorXd::Zero(mean.size())};
  for (Eigen::Index c = 0; c < mean.size(); ++c) {
    const double variance = second[c] - mean[c] * mean[c];
    if (variance > 1e-18 && variance > 1e-15 * second[c]) {
      moments.inverse_sd[c] = 1 / std::sqrt(variance);
    }
  }
  return moments;
}

Eigen::VectorXd leverages(const Eigen::MatrixXd& rows) {
  const auto count = static_cast<double>(rows.rows());
  const Eigen::VectorXd second = rows.array().square().colwise().mean().transpose();
  const ColumnMoments moments = column_moments(rows.colwise().mean(), second);
  const Eigen::MatrixXd z =
      (rows.rowwise() - moments.mean).array().rowwise() * moments.inverse_sd.array();
  Eigen::MatrixXd gram = z.transpose() * z;
  gram.diagonal().array() += kNumbersPenalty * count;
  const Eigen::MatrixXd half = gram.llt().matrixL().solve(z.transpose());
  return half.colwise().squaredNorm().transpose();
}

}  // namespace mcvol
