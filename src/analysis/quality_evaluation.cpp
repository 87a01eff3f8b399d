#include "quality_evaluation.h"

#include "mcvol/calibration/coverage.h"
#include "mcvol/calibration/segmentation_features.h"
#include "mcvol/calibration/weighted_sample.h"
#include "mcvol/volumetry/volume_distribution.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>

namespace mcvol {

namespace {

/// Of nothing there is no saying how wide it is.
double relative_width(const PredictionInterval& interval, double volume_ml) {
  if (volume_ml <= 0) return std::numeric_limits<double>::infinity();
  return (interval.upper_ml - interval.lower_ml) / volume_ml;
}

/// @param least_ml volumes up to which count as absent.
double relative_error_of(double volume_ml, double reference_ml, double least_ml) {
  const auto present = [&](double ml) { return ml > least_ml ? ml : 0; };
  const double volume = present(volume_ml), reference = present(reference_ml);
  if (reference > 0) return std::abs(volume - reference) / reference;
  return volume > 0 ? std::numeric_limits<double>::infinity() : 0;
}

/// Bad ones by a measure, and how bad each of them is, 0 to 1.
struct Outcome {
  std::string name;
  std::vector<bool> bad;
  std::vector<double> risks;
};

Outcome dice_outcome(const std::vector<EvaluatedSegmentation>& scans) {
  Outcome outcome{kLowDiceOutcome, {}, {}};
  for (const EvaluatedSegmentation& scan : scans) {
    outcome.bad.push_back(*scan.dice < kLowDice);
    outcome.risks.push_back(1 - *scan.dice);
  }
  return outcome;
}

Outcome error_outcome(const std::vector<EvaluatedSegmentation>& scans) {
  Outcome outcome{kLargeErrorOutcome, {}, {}};
  for (const EvaluatedSegmentation& scan : scans) {
    outcome.bad.push_back(scan.relative_error > kLargeError);
    outcome.risks.push_back(std::min(1.0, scan.relative_error));
  }
  return outcome;
}

/// Larger for what is likely bad; none where the signal is not known of all.
std::optional<std::vector<double>> suspicion_by(const std::vector<EvaluatedSegmentation>& scans,
                                                std::size_t signal) {
  const bool grows = kQualitySignals[signal].grows;
  std::vector<double> suspicion;
  for (const EvaluatedSegmentation& scan : scans) {
    if (!scan.signals[signal]) return std::nullopt;
    suspicion.push_back(grows ? *scan.signals[signal] : -*scan.signals[signal]);
  }
  return suspicion;
}

void add_outcome(const std::string& region, const std::vector<EvaluatedSegmentation>& scans,
                 const Outcome& outcome, Evaluation& evaluation) {
  if (scans.empty()) return;
  const double least = risk_coverage_area(outcome.risks, outcome.risks);
  const std::vector<double> volume = suspicion_by(scans, kQualitySignals.size() - 1).value();
  for (std::size_t s = 0; s < kQualitySignals.size(); ++s) {
    const auto suspicion = suspicion_by(scans, s);
    if (!suspicion) continue;
    QualityRow row{region, outcome.name, kQualitySignals[s].name, std::ssize(scans), 0, {}, 0, 0};
    row.bad = std::count(outcome.bad.begin(), outcome.bad.end(), true);
    if (row.bad > 0 && row.bad < row.n) row.auroc = auroc_of(*suspicion, volume, outcome.bad);
    row.risk_coverage_area = risk_coverage_area(*suspicion, outcome.risks);
    row.excess_area = row.risk_coverage_area - least;
    evaluation.quality.push_back(row);
    evaluation.risk_coverage.push_back(
        {region, outcome.name, row.signal, risk_coverage(*suspicion, outcome.risks)});
  }
  evaluation.risk_coverage.push_back(
      {region, outcome.name, "oracle", risk_coverage(outcome.risks, outcome.risks)});
}

void add_coverage(const std::string& region, const std::vector<EvaluatedSegmentation>& scans,
                  const NominalCoverage& level, Evaluation& evaluation) {
  DiceCoverage coverage{region, level.text, 0, 0, {}};
  for (const EvaluatedSegmentation& scan : scans) {
    if (!scan.dice_lower()) continue;
    ++coverage.n;
    coverage.held += *scan.dice >= *scan.dice_lower() ? 1 : 0;
  }
  if (coverage.n == 0) return;
  coverage.range = clopper_pearson(coverage.held, coverage.n, 0.95);
  evaluation.dice_coverage.push_back(coverage);
}

}  // namespace

EvaluatedSegmentation segmentation_of(const RegionPrediction& prediction,
                                      const ReferencedRegion& reference,
                                      const RegionCalibration* calibration,
                                      const VolumeEstimate* estimate,
                                      const NominalCoverage& level) {
  EvaluatedSegmentation scan;
  scan.case_id = prediction.case_id;
  scan.region = prediction.region;
  scan.dice = reference.dice;
  const VolumeDistribution level_sets(prediction.passes, prediction.voxel_volume_ml, {});
  const double raw_ml = level_sets.quantile(0.5);
  const PredictionInterval raw{level_sets.quantile((1 - level.value) / 2),
                               level_sets.quantile((1 + level.value) / 2)};
  auto& [expected, lower, agreement, entropy, width, raw_width, volume] = scan.signals;
  raw_width = relative_width(raw, raw_ml);
  volume = estimate != nullptr ? estimate->median_ml : raw_ml;
  if (estimate != nullptr) width = relative_width(estimate->intervals.front(), *volume);
  scan.relative_error =
      relative_error_of(*volume, reference.volume_ml, least_volume_ml(prediction.voxel_volume_ml));
  if (!has_segmentation_features(prediction)) return scan;
  const SegmentationFeatures features =
      segmentation_features(prediction, regression_features(prediction));
  agreement = features.generalised_dice;
  entropy = features.entropy_inside;
  if (calibration == nullptr || !calibration->dice) return scan;
  const ExpectedDice dice = calibration->dice->expect(features, {&level, 1});
  expected = dice.median;
  lower = dice.lower.front();
  return scan;
}

void add_quality(const std::string& region, std::vector<EvaluatedSegmentation> scans,
                 const NominalCoverage& level, Evaluation& evaluation) {
  std::vector<EvaluatedSegmentation> with_dice;
  std::copy_if(scans.begin(), scans.end(), std::back_inserter(with_dice),
               [](const EvaluatedSegmentation& scan) { return scan.dice.has_value(); });
  add_outcome(region, with_dice, dice_outcome(with_dice), evaluation);
  add_outcome(region, scans, error_outcome(scans), evaluation);
  add_coverage(region, with_dice, level, evaluation);
  std::move(scans.begin(), scans.end(), std::back_inserter(evaluation.segmentations));
}

}  // namespace mcvol
