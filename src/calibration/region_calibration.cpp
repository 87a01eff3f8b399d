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
std::span<const double> rhos_of(FitKind kind) {
  return kind == FitKind::kSizeOnly ? rho_grid().last(1) : rho_grid();
}

const CandidateScores* scores_of(const CalibrationScan& scan, FitKind kind) {
  for (const auto& [of_kind, scores] : scan.scores) {
    if (of_kind == kind) return &scores;
  }
  return nullptr;
}

RegionCalibration::Stratum fit_stratum(double from_ml,
                                       const std::vector<const CalibrationScan*>& scans) {
  RegionCalibration::Stratum stratum;
  stratum.from_ml = from_ml;
  for (const FitKind kind : kFitKinds) {
    std::vector<CandidateScores> all;
    for (const CalibrationScan* scan : scans) {
      if (const CandidateScores* scores = scores_of(*scan, kind)) all.push_back(*scores);
    }
    if (all.size() < scans.size()) continue;
    stratum.fits.emplace_back(kind, ConformalFit::fit(score_kind_of(kind), rhos_of(kind), all));
  }
  return stratum;
}

/// A scan's scores under the candidates of a fit.
std::vector<ConformityScore> scores_for(const ConformalFit& fit, const RegionPrediction& prediction,
                                        IntervalMethod method) {
  std::vector<double> rhos;
  for (const ConformalFit::Candidate& candidate : fit.candidates()) rhos.push_back(candidate.rho);
  return conformity_scores(prediction, fit_kind_of(method).value(), rhos);
}

/// Of a volume with this score under the best candidate.
double pit_of(const ConformalFit& fit, double score) {
  const std::vector<double>& scores = fit.candidates()[fit.best()].scores;
  const auto below = std::lower_bound(scores.begin(), scores.end(), score);
  const auto rank = static_cast<double>(below - scores.begin()) + 1;
  return (rank - 0.5) / static_cast<double>(fit.n() + 1);
}

bool sticks_out(const PredictionInterval& inner, const PredictionInterval& outer) {
  constexpr double kRounding = 1e-9;  // of edges found by bisection
  return inner.lower_ml < outer.lower_ml * (1 - kRounding) ||
         inner.upper_ml > outer.upper_ml * (1 + kRounding);
}

}  // namespace

std::string to_string(IntervalMethod method) {
  switch (method) {
    case IntervalMethod::kConformal:
      return "conformal";
    case IntervalMethod::kScaled:
      return "scaled";
    case IntervalMethod::kQuantile:
      return "quantile";
    case IntervalMethod::kSizeOnly:
      return "size_only";
    case IntervalMethod::kNoDropout:
      return "no_dropout";
    case IntervalMethod::kLevelSets:
      break;
  }
  return "level_sets";
}

IntervalMethod interval_method_from(const std::string& word) {
  for (const IntervalMethod method : kIntervalMethods) {
    if (word == to_string(method)) return method;
  }
  throw UsageError("method \"" + word + "\": expected conformal, scaled or quantile");
}

std::string to_string(FitKind kind) {
  switch (kind) {
    case FitKind::kMonteCarlo:
      return "monte_carlo";
    case FitKind::kStudentised:
      return "studentised";
    case FitKind::kSizeOnly:
      return "size_only";
    case FitKind::kNoDropout:
      break;
  }
  return "no_dropout";
}

ScoreKind score_kind_of(FitKind kind) {
  if (kind == FitKind::kStudentised) return ScoreKind::kStudentised;
  return kind == FitKind::kSizeOnly ? ScoreKind::kRootDifference : ScoreKind::kPit;
}

std::optional<FitKind> fit_kind_of(IntervalMethod method) {
  switch (method) {
    case IntervalMethod::kConformal:
    case IntervalMethod::kQuantile:
      return FitKind::kMonteCarlo;
    case IntervalMethod::kScaled:
      return FitKind::kStudentised;
    case IntervalMethod::kSizeOnly:
      return FitKind::kSizeOnly;
    case IntervalMethod::kNoDropout:
      return FitKind::kNoDropout;
    case IntervalMethod::kLevelSets:
      break;
  }
  return std::nullopt;
}

double predicted_volume_ml(const RegionPrediction& prediction) {
  return VolumeDistribution(prediction.passes, prediction.voxel_volume_ml, {}).quantile(0.5);
}

std::span<const double> rho_grid() { return kRhos; }

std::vector<ConformityScore> conformity_scores(const RegionPrediction& prediction, FitKind kind,
                                               std::span<const double> rhos) {
  const auto& passes = kind == FitKind::kNoDropout ? prediction.without_dropout : prediction.passes;
  std::vector<ConformityScore> scores;
  for (const double rho : rhos) {
    scores.emplace_back(
        score_kind_of(kind),
        VolumeDistribution(passes, prediction.voxel_volume_ml, {Sampler::kCopula, rho}),
        prediction.voxel_volume_ml);
  }
  return scores;
}

CandidateScores candidate_scores(const RegionPrediction& prediction, FitKind kind,
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

const ConformalFit* RegionCalibration::Stratum::fit(FitKind kind) const {
  for (const auto& [of_kind, fit] : fits) {
    if (of_kind == kind) return &fit;
  }
  return nullptr;
}

const RegionCalibration::Stratum& RegionCalibration::stratum_of(double predicted_ml) const {
  const Stratum* found = &strata.front();
  for (const Stratum& stratum : strata) {
    if (stratum.from_ml <= predicted_ml) found = &stratum;
  }
  return *found;
}

const ConformalFit& fit_for(const RegionCalibration& calibration, IntervalMethod method,
                            double predicted_ml) {
  const FitKind kind = fit_kind_of(method).value();
  const ConformalFit* fit = calibration.stratum_of(predicted_ml).fit(kind);
  if (fit == nullptr) throw CalibrationError(calibration.region + ": no fit of " + to_string(kind));
  return *fit;
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

CalibratedVolume::CalibratedVolume(const RegionPrediction& prediction,
                                   const RegionCalibration& calibration, IntervalMethod method)
    : calibration_(calibration),
      method_(method),
      predicted_ml_(predicted_volume_ml(prediction)),
      uniform_(atom_uniform(prediction.case_id, prediction.region)),
      fit_(fit_for(calibration, method, predicted_ml_)),
      scan_(scores_for(fit_, prediction, method)) {}

VolumeEstimate CalibratedVolume::estimate(std::span<const NominalCoverage> levels) const {
  const auto cut_at = [&](const NominalCoverage& level) {
    if (const auto cut = cut_of(method_, fit_.n(), level)) return *cut;
    throw CalibrationError(calibration_.region + ": " + std::to_string(fit_.n()) +
                           " references do not reach level " + level.text + ", which takes " +
                           std::to_string(least_references(level)));
  };

  // At the level that widths are compared at.
  const auto usual_interval = [&](const VolumeEstimate& made) -> std::optional<PredictionInterval> {
    for (std::size_t n = 0; n < levels.size(); ++n) {
      if (levels[n].value == calibration_.width_level.value) return made.intervals[n];
    }
    const auto cut = cut_of(method_, fit_.n(), calibration_.width_level);
    if (!cut) return std::nullopt;  // of another method than the calibration's
    return fit_.interval(scan_, *cut);
  };

  VolumeEstimate estimate;
  estimate.median_ml = fit_.median_ml(scan_);
  for (const NominalCoverage& level : levels) {
    estimate.intervals.push_back(fit_.interval(scan_, cut_at(level)));
    const std::size_t last = estimate.intervals.size() - 1;
    if (last > 0 && sticks_out(estimate.intervals[last - 1], estimate.intervals[last])) {
      estimate.not_nested = true;
    }
  }
  estimate.outside_range = predicted_ml_ < calibration_.least_predicted_ml ||
                           predicted_ml_ > calibration_.most_predicted_ml;
  if (calibration_.most_usual_width > 0) {
    const auto usual = usual_interval(estimate);
    estimate.uncertain = usual && root_width(*usual) > calibration_.most_usual_width;
  }
  return estimate;
}

double CalibratedVolume::pit(double volume_ml) const {
  return pit_of(fit_, scan_[fit_.best()].at(volume_ml, uniform_));
}

ConformalFit::Crps CalibratedVolume::crps(double volume_ml) const {
  return fit_.crps(scan_, volume_ml);
}

VolumeEstimate estimate_volume(const RegionPrediction& prediction,
                               const RegionCalibration& calibration, IntervalMethod method,
                               std::span<const NominalCoverage> levels) {
  return CalibratedVolume(prediction, calibration, method).estimate(levels);
}

double calibrated_pit(const RegionPrediction& prediction, const RegionCalibration& calibration,
                      IntervalMethod method, double volume_ml) {
  const ConformalFit& fit = fit_for(calibration, method, predicted_volume_ml(prediction));
  const double rho = fit.candidates()[fit.best()].rho;
  const auto scores = conformity_scores(prediction, fit_kind_of(method).value(), {&rho, 1});
  return pit_of(fit,
                scores.front().at(volume_ml, atom_uniform(prediction.case_id, prediction.region)));
}

}  // namespace mcvol
