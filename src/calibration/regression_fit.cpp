#include "mcvol/calibration/regression_fit.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace mcvol {

namespace {

constexpr double kMostRoot = 1e6;  // ml^(1/3), far beyond anything that is measured
constexpr double kSmallSpread = 0.02, kSmallRoot = 0.3;  // ml^(1/3), added before logarithms

/// Columns of the scale (docs/method.md, "Regression").
std::vector<double> scale_row(const RegressionFeatures& of, RegressionFit::Passes passes,
                              bool missed) {
  const auto log_spread = [](double spread) { return std::log(spread + kSmallSpread); };
  const auto log_root = [](double root) { return std::log(root + kSmallRoot); };
  std::vector<double> row{1, log_spread(of.no_dropout_upper), log_spread(of.no_dropout_lower),
                          log_root(of.no_dropout_thresholded)};
  if (passes == RegressionFit::Passes::kAll) {
    for (const double spread :
         {of.passes_upper, of.passes_lower, of.sd, of.thresholded_sd,
          std::abs(of.mean_thresholded - of.no_dropout_thresholded),
          std::abs(of.in_any - of.mean_thresholded), std::abs(of.mean_thresholded - of.in_all)}) {
      row.push_back(log_spread(spread));
    }
  } else {
    row.push_back(log_spread(of.no_dropout_sd));
  }
  if (missed) {
    const double seems_absent = std::exp(-of.no_dropout_median / kSmallRoot);
    row.push_back(seems_absent);
    row.push_back(seems_absent * log_root(of.core_thresholded));
  }
  return row;
}

}  // namespace

RegressionFit::RegressionFit(std::vector<Scan> scans) : scans_(std::move(scans)) {
  if (scans_.empty()) throw Error("regression: expected at least one scan");
  const auto is_root = [](double number) { return number >= 0 && number <= kMostRoot; };
  for (const Scan& scan : scans_) {
    bool all = is_root(scan.root);
    for (const auto& [name, feature] : kRegressionFeatures) {
      all = all && is_root(scan.features.*feature);
    }
    if (!all) throw Error("regression: expected numbers of every scan from 0 to 1e6 ml^(1/3)");
  }
}

RegressionRows RegressionFit::rows_with(const RegressionFeatures& scan, Passes passes) const {
  const bool missed = n() >= kLeastForMissed;
  const auto rows = static_cast<Eigen::Index>(n() + 1);
  const auto columns = static_cast<Eigen::Index>(scale_row(scan, passes, missed).size());
  RegressionRows data{Eigen::MatrixXd(rows, 2), Eigen::MatrixXd(rows, columns),
                      Eigen::VectorXd::Zero(rows)};
  for (Eigen::Index r = 0; r < rows; ++r) {
    const Scan* known = r > 0 ? &scans_[static_cast<std::size_t>(r) - 1] : nullptr;
    const RegressionFeatures& features = known != nullptr ? known->features : scan;
    data.mean(r, 0) = 1;
    data.mean(r, 1) = median_of(features, passes);
    const std::vector<double> of_scale = scale_row(features, passes, missed);
    for (Eigen::Index c = 0; c < columns; ++c) {
      data.scale(r, c) = of_scale[static_cast<std::size_t>(c)];
    }
    if (known != nullptr) data.residuals[r] = known->root - median_of(features, passes);
  }
  return data;
}

std::vector<ResidualBounds> RegressionFit::root_bounds(const RegressionFeatures& scan,
                                                       Passes passes) const {
  std::vector<ResidualBounds> bounds = regression_bounds(rows_with(scan, passes));
  for (ResidualBounds& one : bounds) {
    one.lower += median_of(scan, passes);
    one.upper += median_of(scan, passes);
  }
  return bounds;
}

}  // namespace mcvol
