#include "discriminant.h"

#include <utility>

#include "leverage.h"
#include <Eigen/Cholesky>

namespace mcvol {

namespace {

/// @param within covariance about each kind's own mean, of both. @param apart from the mean as is
///   to that with the fault. @param rows as they are, about their mean.
Eigen::VectorXd odds_of(const Eigen::MatrixXd& within, const Eigen::RowVectorXd& apart,
                        const Eigen::MatrixXd& rows) {
  const Eigen::VectorXd variances = within.diagonal();
  const Eigen::VectorXd scale = inverse_sds(variances, variances + apart.cwiseAbs2().transpose());
  Eigen::MatrixXd scaled = scale.asDiagonal() * within * scale.asDiagonal();
  scaled.diagonal().array() += kNumbersPenalty;
  const Eigen::VectorXd direction =
      scale.cwiseProduct(scaled.llt().solve(scale.cwiseProduct(apart.transpose())));
  return (rows.rowwise() - apart / 2) * direction;  // about the middle between the two
}

}  // namespace

Discriminant::Discriminant(std::vector<NumberRow> as_is, std::vector<NumberRow> with_fault)
    : raw_as_is_(std::move(as_is)),
      raw_faulty_(std::move(with_fault)),
      as_is_(raw_as_is_),
      faulty_(raw_faulty_),
      products_(as_is_.rows.transpose() * as_is_.rows + faulty_.rows.transpose() * faulty_.rows) {}

Eigen::VectorXd Discriminant::log_odds(const NumberRow& scan,
                                       const NumberRow& scan_with_fault) const {
  const double count = static_cast<double>(as_is_.rows.rows()) + 1;
  const bool complete =
      as_is_.complete && faulty_.complete && is_complete(scan) && is_complete(scan_with_fault);
  if (!complete) {  // as in Leverages::with()
    const NumberTable own(with_first(scan, raw_as_is_));
    const NumberTable other(with_first(scan_with_fault, raw_faulty_));
    const Eigen::MatrixXd products =
        own.rows.transpose() * own.rows + other.rows.transpose() * other.rows;
    return odds_of(products / (2 * count), other.centre - own.centre, own.rows);
  }
  const Eigen::RowVectorXd own = as_is_.centred(scan), other = faulty_.centred(scan_with_fault);
  // Rows lie about the means of the others, so that the scan moves these by its share.
  const Eigen::RowVectorXd own_mean = own / count, other_mean = other / count;
  const Eigen::MatrixXd within =
      (products_ + own.transpose() * own + other.transpose() * other) / count -
      own_mean.transpose() * own_mean - other_mean.transpose() * other_mean;
  Eigen::MatrixXd rows(as_is_.rows.rows() + 1, as_is_.rows.cols());
  rows << own, as_is_.rows;
  return odds_of(within / 2, faulty_.centre + other_mean - as_is_.centre - own_mean,
                 rows.rowwise() - own_mean);
}

}  // namespace mcvol
