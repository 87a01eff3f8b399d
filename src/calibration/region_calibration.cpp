#include "mcvol/calibration/region_calibration.h"

#include "mcvol/calibration/coverage.h"
#include "mcvol/calibration/scores.h"
#include "mcvol/error/error.h"

#include <algorithm>
#include <sstream>

namespace mcvol {

namespace {

constexpr std::array kRhos{0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 1.0};

std::string text_of(double ml) {
  std::ostringstream text;
  text << ml;
  return text.str();
}

/// The grid a fit chooses from. kSizeOnly has nothing to choose.
std::span<const double> rhos_of(ScoreKind kind) {
  return kind == ScoreKind::kSizeOnly ? rho_grid().last(1) : rho_grid();
}

const CandidateScores* scores_of(const CalibrationScan& scan, ScoreKind kind) {
  for (const auto& [of_kind, scores] : scan.scores) {
    if (of_kind == kind) return &scores;
  }
  return nullptr;
}

RegionCalibration::Stratum fit_stratum(double from_ml,
                                       const std::vector<const CalibrationScan*>& scans) {
  RegionCalibration::Stratum stratum;
  stratum.from_ml = from_ml;
  for (const ScoreKind kind : kScoreKinds) {
    std::vector<CandidateScores> all;
    for (const CalibrationScan* scan : scans) {
      if (const CandidateScores* scores = scores_of(*scan, kind)) all.push_back(*scores);
    }
    if (all.size() < scans.size()) continue;
    stratum.fits.emplace_back(kind, ConformalFit::fit(kind, rhos_of(kind), all));
  }
  std::vector<RegressionFit::Scan> regressed;
  for (const CalibrationScan* scan : scans) {
    if (scan->regression) regressed.push_back(*scan->regression);
  }
  if (regressed.size() == scans.size()) stratum.regression.emplace(std::move(regressed));
  return stratum;
}

}  // namespace

std::span<const double> rho_grid() { return kRhos; }

std::vector<ConformityScore> conformity_scores(const RegionPrediction& prediction, ScoreKind kind,
                                               std::span<const double> rhos) {
  const auto& passes =
      kind == ScoreKind::kNoDropout ? prediction.without_dropout : prediction.passes;
  std::vector<ConformityScore> scores;
  for (const double rho : rhos) {
    scores.emplace_back(
        kind, VolumeDistribution(passes, prediction.voxel_volume_ml, {Sampler::kCopula, rho}),
        prediction.voxel_volume_ml);
  }
  return scores;
}

CandidateScores candidate_scores(const RegionPrediction& prediction, ScoreKind kind,
                                 double volume_ml) {
  const double uniform = atom_uniform(prediction.case_id, prediction.region);
  CandidateScores candidates;
  for (const double rho : rhos_of(kind)) {
    const ConformityScore score = std::move(conformity_scores(prediction, kind, {&rho, 1}).front());
    candidates.losses.push_back(score.crps(volume_ml));
    candidates.scores.push_back(score.at(volume_ml, uniform));
  }
  return candidates;
}

CalibrationScan calibration_scan(const RegionPrediction& prediction, double volume_ml) {
  CalibrationScan scan;
  scan.predicted_ml = predicted_volume_ml(prediction);
  for (const ScoreKind kind : kScoreKinds) {
    if (kind == ScoreKind::kNoDropout && prediction.without_dropout.empty()) continue;
    scan.scores.emplace_back(kind, candidate_scores(prediction, kind, volume_ml));
  }
  if (has_regression_features(prediction)) {
    scan.regression = {regression_features(prediction),
                       root_of(volume_ml, least_volume_ml(prediction.voxel_volume_ml))};
  }
  return scan;
}

const ConformalFit* RegionCalibration::Stratum::fit(ScoreKind kind) const {
  for (const auto& [of_kind, fit] : fits) {
    if (of_kind == kind) return &fit;
  }
  return nullptr;
}

bool RegionCalibration::Stratum::has(IntervalMethod method) const {
  if (is_regression(method)) return regression.has_value();
  const auto kind = score_kind_of(method);
  return !kind || fit(*kind) != nullptr;
}

const RegionCalibration::Stratum& RegionCalibration::stratum_of(double predicted_ml) const {
  const Stratum* found = &strata.front();
  for (const Stratum& stratum : strata) {
    if (stratum.from_ml <= predicted_ml) found = &stratum;
  }
  return *found;
}

RegionCalibration fit_region(const std::string& region, std::span<const double> edges_ml,
                             std::span<const CalibrationScan> scans, std::int64_t least_scans) {
  if (scans.empty()) throw CalibrationError(region + ": no case with a reference");
  RegionCalibration calibration;
  calibration.region = region;
  const auto by_volume = [](const CalibrationScan& a, const CalibrationScan& b) {
    return a.predicted_ml < b.predicted_ml;
  };
  const auto [least, most] = std::minmax_element(scans.begin(), scans.end(), by_volume);
  calibration.least_predicted_ml = least->predicted_ml;
  calibration.most_predicted_ml = most->predicted_ml;
  std::vector<double> bounds{0};
  bounds.insert(bounds.end(), edges_ml.begin(), edges_ml.end());
  for (std::size_t s = 0; s < bounds.size(); ++s) {
    std::vector<const CalibrationScan*> within;
    for (const CalibrationScan& scan : scans) {
      const bool above = scan.predicted_ml >= bounds[s];
      const bool below = s + 1 == bounds.size() || scan.predicted_ml < bounds[s + 1];
      if (above && below) within.push_back(&scan);
    }
    if (bounds.size() > 1 && static_cast<std::int64_t>(within.size()) < least_scans) {
      throw CalibrationError(region + ": the stratum from " + text_of(bounds[s]) + " ml has " +
                             std::to_string(within.size()) + " references, expected at least " +
                             std::to_string(least_scans) + "; choose wider strata");
    }
    calibration.strata.push_back(fit_stratum(bounds[s], within));
  }
  return calibration;
}

std::optional<ScoreCut> cut_of(IntervalMethod method, std::int64_t n,
                               const NominalCoverage& level) {
  if (method == IntervalMethod::kQuantile) return quantile_cut(n, level);
  return conformal_cut(n, level);
}

std::optional<double> promised_coverage(IntervalMethod method, std::int64_t n,
                                        const NominalCoverage& level) {
  if (!cut_of(method, n, level)) return std::nullopt;
  if (method != IntervalMethod::kQuantile) return expected_coverage(n, tail_rank(n, level));
  return level.value * static_cast<double>(n - 1) / static_cast<double>(n + 1);
}

}  // namespace mcvol
