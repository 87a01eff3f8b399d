#include "mcvol/calibration/conformal_regression.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <Eigen/Cholesky>

namespace mcvol {

namespace {

using Eigen::ArrayXd;
using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// All fixed beforehand, on scans that no figure is reported of (docs/method.md).
constexpr double kMeanPenalty = 3, kScalePenalty = 10;
constexpr double kLeastScale = 0.2;               ///< of the median scale
constexpr double kMostLogScale = 3;               ///< above the median's
constexpr double kOffset = 0.02, kLargest = 1.5;  ///< of |residual| in its logarithm, ml^(1/3)
constexpr double kStep = 0.25;  ///< to multiples of which the logarithm is rounded
constexpr double kInfinity = std::numeric_limits<double>::infinity();

double lowest_log() { return std::log(kOffset); }

int step_count() {
  static const int kSteps =
      static_cast<int>(std::lround((std::log(kLargest + kOffset) - lowest_log()) / kStep)) + 1;
  return kSteps;
}

/// The step that log(|residual| + kOffset) is rounded to, from 0.
int step_of(double residual) {
  const double log_size = std::log(std::min(std::abs(residual), kLargest) + kOffset);
  const double steps = std::nearbyint((log_size - lowest_log()) / kStep);
  return std::clamp(static_cast<int>(steps), 0, step_count() - 1);
}

/// The |residual|s that round to a step.
ResidualBounds sizes_of(int step) {
  const auto edge = [](double at) { return std::exp(lowest_log() + at * kStep) - kOffset; };
  return {step == 0 ? 0.0 : edge(step - 0.5),
          step == step_count() - 1 ? kInfinity : edge(step + 0.5)};
}

double median_of(VectorXd values) {
  std::sort(values.begin(), values.end());
  const Index half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

VectorXd penalties(Index columns, double penalty) {
  VectorXd all = VectorXd::Constant(columns, penalty);
  all[0] = 0;  // the level is what the scans say
  return all;
}

/// The log scale of each row as a line in the log |residual| of row 0.
class LogScale {
 public:
  explicit LogScale(const RegressionRows& rows) {
    const MatrixXd z = standardised(rows.scale);
    const MatrixXd gram =
        z.transpose() * z + MatrixXd(penalties(z.cols(), kScalePenalty).asDiagonal());
    const MatrixXd hat = gram.llt().solve(z.transpose());
    VectorXd logs(z.rows());
    logs[0] = 0;
    for (Index i = 1; i < logs.size(); ++i) logs[i] = log_of(step_of(rows.residuals[i]));
    intercept_ = z * (hat * logs);
    slope_ = z * hat.col(0);
  }

  /// Scales if the residual of row 0 rounds to this step, over their median.
  ArrayXd at(int step) const {
    VectorXd logs = intercept_ + slope_ * log_of(step);
    logs.array() -= median_of(logs);
    return logs.array().max(std::log(kLeastScale)).min(kMostLogScale).exp();
  }

 private:
  static double log_of(int step) { return lowest_log() + kStep * step; }

  VectorXd intercept_, slope_;
};

/// C_i, ascending: the studentised residual of row i is at most that of row 0 exactly where the
/// residual of row 0 is at least C_i. It is monotone in it for these weights and scores only
/// (docs/method.md).
std::vector<double> critical_values(const RegressionRows& rows, const ArrayXd& scale) {
  const MatrixXd b = rows.mean.array().colwise() / scale;
  const MatrixXd gram =
      b.transpose() * b + MatrixXd(penalties(b.cols(), kMeanPenalty).asDiagonal());
  // Q'Q is the hat matrix of the weighted regression.
  const MatrixXd q = gram.llt().matrixL().solve(b.transpose());
  const ArrayXd keep = (1 - q.colwise().squaredNorm().transpose().array()).max(1e-12).sqrt();
  VectorXd z = rows.residuals.array() / scale;
  z[0] = 0;
  const ArrayXd at_zero = (z - q.transpose() * (q * z)).array() / keep;
  ArrayXd slope = -(q.transpose() * q.col(0)).array();
  slope[0] += 1;
  slope /= keep * scale[0];
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(z.size()) - 1);
  for (Index i = 1; i < z.size(); ++i) {
    const double closing = slope[0] - slope[i];  // never negative
    if (closing <= 1e-12 * slope[0]) {
      values.push_back(at_zero[i] >= at_zero[0] ? kInfinity : -kInfinity);
    } else {
      values.push_back((at_zero[i] - at_zero[0]) / closing);
    }
  }
  std::sort(values.begin(), values.end());
  return values;
}

/// The hulls of what is kept, over all that the residual of row 0 may round to.
class Hulls {
 public:
  explicit Hulls(std::size_t n) : hulls_((n + 1) / 2, {kInfinity, -kInfinity}) {}

  /// What is kept where the residual rounds to a step of these sizes, up or down.
  void add(const std::vector<double>& critical, const ResidualBounds& sizes) {
    for (std::size_t k = 0; k < hulls_.size(); ++k) {
      const double least = critical[k], most = critical[critical.size() - 1 - k];
      for (const ResidualBounds& side : {sizes, ResidualBounds{-sizes.upper, -sizes.lower}}) {
        const double from = std::max(side.lower, least), to = std::min(side.upper, most);
        if (from > to) continue;
        hulls_[k].lower = std::min(hulls_[k].lower, from);
        hulls_[k].upper = std::max(hulls_[k].upper, to);
      }
    }
  }

  /// Where nothing is kept any number will do: 0, or what lies next to it in the hull before.
  std::vector<ResidualBounds> filled() && {
    for (std::size_t k = 0; k < hulls_.size(); ++k) {
      if (hulls_[k].lower <= hulls_[k].upper) continue;
      const double point = k == 0 ? 0 : std::clamp(0.0, hulls_[k - 1].lower, hulls_[k - 1].upper);
      hulls_[k] = {point, point};
    }
    return std::move(hulls_);
  }

 private:
  std::vector<ResidualBounds> hulls_;
};

/// Ends of what is kept on one side, over all that the residual of row 0 may round to.
class OneSidedEnds {
 public:
  explicit OneSidedEnds(std::size_t n) : ends_(n, {kInfinity, -kInfinity}) {}

  void add(const std::vector<double>& critical, const ResidualBounds& sizes) {
    for (std::size_t k = 0; k < ends_.size(); ++k) {
      const double least = critical[k], most = critical[critical.size() - 1 - k];
      for (const ResidualBounds& side : {sizes, ResidualBounds{-sizes.upper, -sizes.lower}}) {
        const double from = std::max(side.lower, least), to = std::min(side.upper, most);
        if (from <= side.upper) ends_[k].lower = std::min(ends_[k].lower, from);
        if (to >= side.lower) ends_[k].upper = std::max(ends_[k].upper, to);
      }
    }
  }

  std::vector<ResidualBounds> ends() && { return std::move(ends_); }

 private:
  std::vector<ResidualBounds> ends_;
};

bool starts_with_ones(const MatrixXd& columns) {
  return columns.cols() > 0 && (columns.col(0).array() == 1).all();
}

/// @throws Error for rows that are none. @returns how many scans there are beside that in question.
std::size_t scans_of(const RegressionRows& rows) {
  const Index count = rows.residuals.size();
  if (count < 2 || rows.mean.rows() != count || rows.scale.rows() != count ||
      !starts_with_ones(rows.mean) || !starts_with_ones(rows.scale)) {
    throw Error("regression: expected rows of columns of which the first is 1, and two of them");
  }
  return static_cast<std::size_t>(count) - 1;
}

/// Adds what is kept at each value that the residual of row 0 may round to.
template <typename Kept>
void add_all_steps(const RegressionRows& rows, Kept& kept) {
  const LogScale scale(rows);
  for (int step = 0; step < step_count(); ++step) {
    kept.add(critical_values(rows, scale.at(step)), sizes_of(step));
  }
}

}  // namespace

MatrixXd standardised(const MatrixXd& columns) {
  constexpr double kLeastSd = 1e-9;  // of a column that is the same in all rows
  MatrixXd z = columns.rowwise() - columns.colwise().mean();
  const auto rows = static_cast<double>(z.rows());
  for (Index c = 1; c < z.cols(); ++c)
    z.col(c) /= std::sqrt(z.col(c).squaredNorm() / rows) + kLeastSd;
  z.col(0).setOnes();
  return z;
}

std::vector<ResidualBounds> regression_bounds(const RegressionRows& rows) {
  Hulls hulls(scans_of(rows));
  add_all_steps(rows, hulls);
  return std::move(hulls).filled();
}

std::vector<ResidualBounds> one_sided_regression_bounds(const RegressionRows& rows) {
  OneSidedEnds ends(scans_of(rows));
  add_all_steps(rows, ends);
  return std::move(ends).ends();
}

}  // namespace mcvol
