#include "quality_evaluation.h"

#include "mcvol/calibration/calibrated_volume.h"
#include "mcvol/calibration/segmentation_features.h"
#include "mcvol/volumetry/volume_distribution.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace mcvol {

namespace {

/// Of nothing there is no saying how wide it is.
double relative_width(const PredictionInterval& interval, double volume_ml) {
  if (volume_ml <= 0) return std::numeric_limits<double>::infinity();
  return (interval.upper_ml - interval.lower_ml) / volume_ml;
}

double relative_error_of(double volume_ml, double reference_ml) {
  if (reference_ml > 0) return std::abs(volume_ml - reference_ml) / reference_ml;
  return volume_ml > 0 ? std::numeric_limits<double>::infinity() : 0;
}

/// Bad ones by a measure, and how bad each of them is, 0 to 1.
struct Outcome {
  std::string name;
  std::vector<bool> bad;
  std::vector<double> risks;
};

Outcome dice_outcome(const std::vector<QualityScan>& scans) {
  Outcome outcome{"dice_below_0.7", {}, {}};
  for (const QualityScan& scan : scans) {
    outcome.bad.push_back(*scan.dice < kLowDice);
    outcome.risks.push_back(1 - *scan.dice);
  }
  return outcome;
}

Outcome error_outcome(const std::vector<QualityScan>& scans) {
  Outcome outcome{"error_above_25_percent", {}, {}};
  for (const QualityScan& scan : scans) {
    outcome.bad.push_back(scan.relative_error > kLargeError);
    outcome.risks.push_back(std::min(1.0, scan.relative_error));
  }
  return outcome;
}

/// None where the signal is not known of all.
std::optional<std::vector<double>> signal_of(const std::vector<QualityScan>& scans,
                                             std::size_t signal) {
  std::vector<double> suspicion;
  for (const QualityScan& scan : scans) {
    if (!scan.suspicion[signal]) return std::nullopt;
    suspicion.push_back(*scan.suspicion[signal]);
  }
  return suspicion;
}

void add_outcome(const std::string& region, const std::vector<QualityScan>& scans,
                 const Outcome& outcome, Evaluation& evaluation) {
  if (scans.empty()) return;
  const double least = risk_coverage_area(outcome.risks, outcome.risks);
  const std::vector<double> volume = signal_of(scans, kQualitySignals.size() - 1).value();
  for (std::size_t s = 0; s < kQualitySignals.size(); ++s) {
    const auto suspicion = signal_of(scans, s);
    if (!suspicion) continue;
    QualityRow row{region, outcome.name, kQualitySignals[s], std::ssize(scans), {}, 0, 0};
    const auto bad = std::count(outcome.bad.begin(), outcome.bad.end(), true);
    if (bad > 0 && bad < row.n) row.auroc = auroc_of(*suspicion, volume, outcome.bad);
    row.risk_coverage_area = risk_coverage_area(*suspicion, outcome.risks);
    row.excess_area = row.risk_coverage_area - least;
    evaluation.quality.push_back(row);
    evaluation.risk_coverage.push_back(
        {region, outcome.name, row.signal, risk_coverage(*suspicion, outcome.risks)});
  }
  evaluation.risk_coverage.push_back(
      {region, outcome.name, "oracle", risk_coverage(outcome.risks, outcome.risks)});
}

}  // namespace

QualityScan quality_of(const RegionPrediction& prediction, const ReferencedRegion& reference,
                       const AppliedCalibration* calibration, const NominalCoverage& level) {
  QualityScan scan;
  scan.dice = reference.dice;
  const VolumeDistribution level_sets(prediction.passes, prediction.voxel_volume_ml, {});
  double volume_ml = level_sets.quantile(0.5);
  const PredictionInterval raw{level_sets.quantile((1 - level.value) / 2),
                               level_sets.quantile((1 + level.value) / 2)};
  auto& [expected, lower, agreement, entropy, width, raw_width, volume] = scan.suspicion;
  raw_width = relative_width(raw, volume_ml);
  const bool has_features = has_segmentation_features(prediction);
  const SegmentationFeatures features =
      has_features ? segmentation_features(prediction) : SegmentationFeatures{};
  if (has_features) {
    agreement = -features.generalised_dice;
    entropy = features.entropy_inside;
  }
  if (calibration != nullptr) {
    const RegionCalibration& region = calibration->file.region(prediction.region);
    const VolumeEstimate estimate =
        estimate_volume(prediction, region, calibration->file.method, {&level, 1});
    volume_ml = estimate.median_ml;
    width = relative_width(estimate.intervals.front(), volume_ml);
    if (region.dice && has_features) {
      const ExpectedDice dice = region.dice->expect(features, {&level, 1});
      expected = -dice.median;
      lower = -dice.lower.front();
    }
  }
  volume = -volume_ml;
  scan.relative_error = relative_error_of(volume_ml, reference.volume_ml);
  return scan;
}

void add_quality(const std::string& region, const std::vector<QualityScan>& scans,
                 Evaluation& evaluation) {
  std::vector<QualityScan> with_dice;
  std::copy_if(scans.begin(), scans.end(), std::back_inserter(with_dice),
               [](const QualityScan& scan) { return scan.dice.has_value(); });
  add_outcome(region, with_dice, dice_outcome(with_dice), evaluation);
  add_outcome(region, scans, error_outcome(scans), evaluation);
}

}  // namespace mcvol
