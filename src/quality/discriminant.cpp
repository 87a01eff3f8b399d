#include "discriminant.h"

#include "leverage.h"
#include <Eigen/Cholesky>

namespace mcvol {

Discriminant::Discriminant(const NumberTable& as_is, const std::vector<NumberRow>& with_fault)
    : as_is_(as_is),
      faulty_(with_fault),
      products_(as_is.rows.transpose() * as_is.rows + faulty_.rows.transpose() * faulty_.rows),
      squares_(as_is.rows.array().square().colwise().sum().transpose()) {}

Eigen::VectorXd Discriminant::log_odds(const NumberRow& scan,
                                       const NumberRow& scan_with_fault) const {
  const Eigen::RowVectorXd own = as_is_.centred(scan), other = faulty_.centred(scan_with_fault);
  const double count = static_cast<double>(as_is_.rows.rows()) + 1;
  // Rows lie about the means of the others, so that the scan moves these by its share.
  const Eigen::RowVectorXd own_mean = own / count, other_mean = other / count;
  const ColumnMoments moments =
      column_moments(own_mean, (squares_ + own.cwiseAbs2().transpose()) / count);
  const Eigen::VectorXd scale = moments.inverse_sd.transpose();
  Eigen::MatrixXd within = (products_ + own.transpose() * own + other.transpose() * other) / count -
                           own_mean.transpose() * own_mean - other_mean.transpose() * other_mean;
  within = scale.asDiagonal() * (within / 2) * scale.asDiagonal();
  within.diagonal().array() += kNumbersPenalty;
  const Eigen::RowVectorXd own_centre = as_is_.centre + own_mean,
                           other_centre = faulty_.centre + other_mean;
  const Eigen::VectorXd apart = scale.cwiseProduct((other_centre - own_centre).transpose());
  const Eigen::VectorXd direction = scale.cwiseProduct(within.llt().solve(apart));
  // About the middle between the two.
  const Eigen::RowVectorXd middle = (own_centre + other_centre) / 2 - as_is_.centre;
  Eigen::VectorXd odds(as_is_.rows.rows() + 1);
  odds[0] = (own - middle) * direction;
  odds.tail(as_is_.rows.rows()) = (as_is_.rows.rowwise() - middle) * direction;
  return odds;
}

}  // namespace mcvol
