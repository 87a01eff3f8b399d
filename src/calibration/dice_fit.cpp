#include "mcvol/calibration/dice_fit.h"

#include "mcvol/calibration/sample_quantile.h"
#include "mcvol/error/error.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace mcvol {

namespace {

constexpr double kMostRoot = 1e6;  // ml^(1/3), far beyond anything that is measured
constexpr double kSmallRoot = 0.3, kSmallSpread = 0.02, kSmallShare = 0.01;

double logit_of(double share) {
  return std::log((share + kSmallShare) / (1 - share + kSmallShare));
}

double log_of(double relative) { return std::log(relative + kSmallSpread); }

std::vector<double> mean_row(const SegmentationFeatures& of) {
  return {1,
          of.generalised_dice,
          of.soft_dice,
          of.entropy_inside,
          of.shared_by_all,
          std::log(of.root + kSmallRoot),
          log_of(of.relative_spread),
          log_of(of.passes_upper),
          log_of(of.mean_upper)};
}

std::vector<double> scale_row(const SegmentationFeatures& of) {
  return {1, logit_of(of.generalised_dice), log_of(of.relative_spread)};
}

void put_row(const std::vector<double>& row, Eigen::Index at, Eigen::MatrixXd& into) {
  if (into.cols() == 0) into.resize(into.rows(), static_cast<Eigen::Index>(row.size()));
  for (std::size_t c = 0; c < row.size(); ++c) into(at, static_cast<Eigen::Index>(c)) = row[c];
}

}  // namespace

DiceFit::DiceFit(std::vector<Scan> scans) : scans_(std::move(scans)) {
  if (scans_.empty()) throw Error("expected Dice: expected at least one scan");
  for (const Scan& scan : scans_) {
    const bool is_dice = scan.dice >= 0 && scan.dice <= 1;
    const bool all = std::all_of(kSegmentationFeatures.begin(), kSegmentationFeatures.end(),
                                 [&](const auto& named) {
                                   const double number = scan.features.*named.feature;
                                   return number >= 0 && number <= (named.is_size ? kMostRoot : 1);
                                 });
    if (!is_dice || !all) {
      throw Error(
          "expected Dice: expected a Dice and features of every scan from 0 to 1, sizes "
          "to 1e6 ml^(1/3)");
    }
  }
}

RegressionRows DiceFit::rows_with(const SegmentationFeatures& scan) const {
  const auto rows = static_cast<Eigen::Index>(n() + 1);
  RegressionRows data{Eigen::MatrixXd(rows, 0), Eigen::MatrixXd(rows, 0),
                      Eigen::VectorXd::Zero(rows)};
  for (Eigen::Index r = 0; r < rows; ++r) {
    const Scan* known = r > 0 ? &scans_[static_cast<std::size_t>(r) - 1] : nullptr;
    const SegmentationFeatures& features = known != nullptr ? known->features : scan;
    put_row(mean_row(features), r, data.mean);
    put_row(scale_row(features), r, data.scale);
    if (known != nullptr) data.residuals[r] = known->dice - features.generalised_dice;
  }
  data.mean = standardised(data.mean);  // so that one penalty suits all
  return data;
}

ExpectedDice DiceFit::expect(const SegmentationFeatures& scan,
                             std::span<const NominalCoverage> levels) const {
  const auto dice_at = [&](double residual) {
    return std::clamp(scan.generalised_dice + residual, 0.0, 1.0);
  };
  const std::vector<ResidualBounds> ends = one_sided_regression_bounds(rows_with(scan));
  const ResidualBounds& middle = ends[(ends.size() + 1) / 2 - 1];
  ExpectedDice expected;
  expected.median = (dice_at(middle.lower) + dice_at(middle.upper)) / 2;
  for (const NominalCoverage& level : levels) {
    const auto rank = static_cast<std::size_t>(one_sided_rank(n(), level));
    expected.lower.emplace_back();
    if (rank > 0) expected.lower.back() = dice_at(ends[rank - 1].lower);
  }
  return expected;
}

std::int64_t one_sided_rank(std::int64_t n, const NominalCoverage& level) {
  return (n + 1) * (level.denominator - level.numerator) / level.denominator;
}

double usual_least_dice(const DiceFit& fit, std::span<const std::size_t> folds, double share) {
  const std::vector<DiceFit::Scan>& scans = fit.scans();
  if (folds.size() != scans.size()) throw Error("expected Dice: expected a fold of each scan");
  std::vector<double> expected;
  for (const std::size_t fold : std::set<std::size_t>(folds.begin(), folds.end())) {
    std::vector<DiceFit::Scan> others, inside;
    for (std::size_t n = 0; n < scans.size(); ++n) {
      (folds[n] == fold ? inside : others).push_back(scans[n]);
    }
    if (others.empty()) return 0;
    const DiceFit of_others(std::move(others));
    for (const DiceFit::Scan& scan : inside) {
      expected.push_back(of_others.expect(scan.features, {}).median);
    }
  }
  std::sort(expected.begin(), expected.end());
  return sample_quantile(expected, share);
}

}  // namespace mcvol
