#include "mcvol/calibration/calibrated_distribution.h"

#include "mcvol/calibration/coverage.h"
#include "mcvol/calibration/weighted_sample.h"
#include "mcvol/error/error.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace mcvol {

namespace {

double cube(double root) { return root * root * root; }

/// Of equally likely points of V^(1/3).
CalibratedDistribution::Crps crps_of(std::vector<double> roots, double root) {
  const std::vector<double> weights(roots.size(), 1 / static_cast<double>(roots.size()));
  const double of_roots = WeightedSample(roots, weights).crps(root);
  for (double& point : roots) point = cube(point);
  return {of_roots, WeightedSample(std::move(roots), weights).crps(cube(root))};
}

/// By conformity scores.
class ScoredDistribution : public CalibratedDistribution {
 public:
  ScoredDistribution(const RegionPrediction& prediction, const ConformalFit& fit,
                     IntervalMethod method, ScoreKind kind)
      : prediction_(prediction),
        fit_(fit),
        method_(method),
        kind_(kind),
        uniform_(atom_uniform(prediction.case_id, prediction.region)) {}

  std::optional<PredictionInterval> interval(const NominalCoverage& level) override {
    const auto cut = cut_of(method_, fit_.n(), level);
    if (!cut) return std::nullopt;
    if (scores_.empty()) scores_ = scores_under(fit_.candidates());
    return fit_.interval(scores_, *cut);
  }

  double median_ml() override { return fit_.median_ml(best()); }

  double pit(double volume_ml) override {
    const std::vector<double>& scores = fit_.candidates()[fit_.best()].scores;
    const double score = best().at(volume_ml, uniform_);
    const auto below = std::lower_bound(scores.begin(), scores.end(), score) - scores.begin();
    return (static_cast<double>(below) + 0.5) / static_cast<double>(fit_.n() + 1);
  }

  std::vector<double> points_ml() override {
    std::vector<double> points;
    for (const double score : fit_.candidates()[fit_.best()].scores) {
      points.push_back(best().volume_ml(score));
    }
    return points;
  }

  Crps crps(double volume_ml) override {
    std::vector<double> roots;
    for (const double score : fit_.candidates()[fit_.best()].scores) {
      roots.push_back(best().root(score));
    }
    return crps_of(std::move(roots), root_of(volume_ml, best().least_ml()));
  }

 private:
  std::vector<ConformityScore> scores_under(std::span<const ConformalFit::Candidate> candidates) {
    std::vector<double> rhos;
    for (const ConformalFit::Candidate& candidate : candidates) rhos.push_back(candidate.rho);
    return conformity_scores(prediction_, kind_, rhos);
  }

  /// Under the best candidate, all that most questions take.
  const ConformityScore& best() {
    if (!scores_.empty()) return scores_[fit_.best()];
    if (best_.empty()) best_ = scores_under({&fit_.candidates()[fit_.best()], 1});
    return best_.front();
  }

  const RegionPrediction& prediction_;
  const ConformalFit& fit_;
  IntervalMethod method_;
  ScoreKind kind_;
  double uniform_;                       ///< atom_uniform() of case and region
  std::vector<ConformityScore> scores_;  ///< one per candidate of the fit, or none yet
  std::vector<ConformityScore> best_;    ///< one, or none yet
};

/// By conformal regression.
class RegressedDistribution : public CalibratedDistribution {
 public:
  RegressedDistribution(const RegionPrediction& prediction, const RegressionFeatures& features,
                        const RegressionFit& fit, RegressionFit::Passes passes)
      : n_(fit.n()),
        least_ml_(least_volume_ml(prediction.voxel_volume_ml)),
        // There is no more of it than was measured.
        most_ml_(static_cast<double>(prediction.mean.value().voxel_count()) *
                 prediction.voxel_volume_ml),
        uniform_(atom_uniform(prediction.case_id, prediction.region)),
        bounds_(fit.root_bounds(features, passes)) {}

  std::optional<PredictionInterval> interval(const NominalCoverage& level) override {
    const std::int64_t k = tail_rank(n_, level);
    if (k == 0) return std::nullopt;
    const ResidualBounds& of = bounds_[static_cast<std::size_t>(k) - 1];
    // What is up to v0 counts as absent: an upper bound of 0 cannot tell it apart.
    return PredictionInterval{volume_of(of.lower), std::max(volume_of(of.upper), least_ml_)};
  }

  double median_ml() override {
    return volume_of((bounds_.back().lower + bounds_.back().upper) / 2);
  }

  double pit(double volume_ml) override {
    const std::vector<double> points = points_ml();
    const auto absent = std::upper_bound(points.begin(), points.end(), 0.0) - points.begin();
    const auto below = std::lower_bound(points.begin(), points.end(), volume_ml) - points.begin();
    const double before = volume_ml > least_ml_
                              ? static_cast<double>(below)
                              : std::floor(uniform_ * static_cast<double>(absent + 1));
    return (before + 0.5) / static_cast<double>(n_ + 1);
  }

  std::vector<double> points_ml() override {
    std::vector<double> points;
    const auto half = static_cast<std::size_t>(n_ / 2);
    for (std::size_t k = 0; k < half; ++k) points.push_back(volume_of(bounds_[k].lower));
    if (n_ % 2 == 1) points.push_back(median_ml());
    for (std::size_t k = half; k > 0; --k) points.push_back(volume_of(bounds_[k - 1].upper));
    return points;
  }

  Crps crps(double volume_ml) override {
    std::vector<double> roots = points_ml();
    for (double& root : roots) root = std::cbrt(root);
    return crps_of(std::move(roots), root_of(volume_ml, least_ml_));
  }

 private:
  /// 0 of what counts as absent.
  double volume_of(double root) const {
    const double volume_ml = std::min(cube(std::max(root, 0.0)), most_ml_);
    return volume_ml > least_ml_ ? volume_ml : 0;
  }

  std::int64_t n_;
  double least_ml_;
  double most_ml_;
  double uniform_;  ///< atom_uniform() of case and region
  std::vector<ResidualBounds> bounds_;
};

}  // namespace

std::unique_ptr<CalibratedDistribution> calibrated_distribution(
    const RegionPrediction& prediction, const RegionCalibration::Stratum& stratum,
    IntervalMethod method, const RegressionFeatures* features) {
  if (!stratum.has(method) || method == IntervalMethod::kLevelSets) {
    throw CalibrationError(prediction.region + ": the calibration has no fit of " +
                           to_string(method));
  }
  if (is_regression(method)) {
    if (!has_regression_features(prediction)) {
      throw CalibrationError(prediction.case_id +
                             ": its record has no pass without dropout or no agreement of "
                             "passes, which a calibration of method regression takes; measure it "
                             "again, or calibrate with "
                             "--method scaled");
    }
    return std::make_unique<RegressedDistribution>(
        prediction, features != nullptr ? *features : regression_features(prediction),
        *stratum.regression,
        method == IntervalMethod::kRegression ? RegressionFit::Passes::kAll
                                              : RegressionFit::Passes::kWithoutDropout);
  }
  const ScoreKind kind = score_kind_of(method).value();
  return std::make_unique<ScoredDistribution>(prediction, *stratum.fit(kind), method, kind);
}

}  // namespace mcvol
