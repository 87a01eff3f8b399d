#include "mcvol/calibration/interval_scores.h"

#include "mcvol/calibration/scores.h"
#include "mcvol/error/error.h"
#include "mcvol/random/philox.h"
#include "mcvol/volumetry/normal.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mcvol {

namespace {

ScoredInterval scored(const PredictionInterval& interval, double point_ml, double volume_ml,
                      double least_ml, const NominalCoverage& level) {
  ScoredInterval score;
  score.interval = interval;
  score.point_ml = point_ml;
  score.covered = covers(interval, volume_ml, least_ml);
  // A tumour too small to count is no miss of an interval from 0 on.
  const double truth_ml = volume_ml <= least_ml ? 0 : volume_ml;
  score.width_ml = interval.upper_ml - interval.lower_ml;
  score.interval_score_ml = interval_score(interval.lower_ml, interval.upper_ml, truth_ml, level);
  score.width_root = root_width(interval);
  score.interval_score_root = interval_score(
      std::cbrt(interval.lower_ml), std::cbrt(interval.upper_ml), std::cbrt(truth_ml), level);
  score.error_ml = point_ml - volume_ml;
  return score;
}

std::vector<ScoredInterval> score_level_sets(const RegionPrediction& prediction, double volume_ml,
                                             std::span<const NominalCoverage> levels) {
  const VolumeDistribution volumes(prediction.passes, prediction.voxel_volume_ml, {});
  const double least_ml = least_volume_ml(prediction.voxel_volume_ml);
  const auto bound = [&](double probability) {
    const double at_ml = volumes.quantile(probability);
    return at_ml > least_ml ? at_ml : 0;
  };
  const ConformityScore score(ScoreKind::kConformal, volumes, prediction.voxel_volume_ml);
  const double pit =
      normal_cdf(score.at(volume_ml, atom_uniform(prediction.case_id, prediction.region)));
  std::vector<ScoredInterval> all;
  for (const NominalCoverage& level : levels) {
    const PredictionInterval interval{bound((1 - level.value) / 2),
                                      std::max(bound((1 + level.value) / 2), least_ml)};
    all.push_back(scored(interval, bound(0.5), volume_ml, least_ml, level));
    all.back().crps_root = root_sample(volumes, least_ml).crps(root_of(volume_ml, least_ml));
    all.back().crps_ml = volume_sample(volumes, least_ml).crps(volume_ml);
    all.back().pit = pit;
  }
  return all;
}

}  // namespace

std::vector<ScoredInterval> score_intervals(const RegionPrediction& prediction, double volume_ml,
                                            const RegionCalibration* calibration,
                                            IntervalMethod method,
                                            std::span<const NominalCoverage> levels) {
  if (method == IntervalMethod::kLevelSets) {
    return score_level_sets(prediction, volume_ml, levels);
  }
  const CalibratedVolume calibrated(prediction, *calibration, method);
  const VolumeEstimate estimate = calibrated.estimate(levels);
  const double least_ml = least_volume_ml(prediction.voxel_volume_ml);
  const CalibratedDistribution::Crps crps = calibrated.distribution().crps(volume_ml);
  const double pit = calibrated.distribution().pit(volume_ml);
  std::vector<ScoredInterval> all;
  for (std::size_t n = 0; n < levels.size(); ++n) {
    all.push_back(
        scored(estimate.intervals[n], estimate.median_ml, volume_ml, least_ml, levels[n]));
    all.back().crps_root = crps.root;
    all.back().crps_ml = crps.ml;
    all.back().pit = pit;
    all.back().references = calibrated.references();
  }
  return all;
}

CoverageSummary summary_of(std::span<const ScoredInterval> scored) {
  CoverageSummary summary;
  summary.n = static_cast<std::int64_t>(scored.size());
  if (scored.empty()) return summary;
  for (const ScoredInterval& one : scored) {
    summary.covered += one.covered ? 1 : 0;
    summary.mean_width_ml += one.width_ml;
    summary.interval_score_ml += one.interval_score_ml;
    summary.crps_ml += one.crps_ml;
    summary.bias_ml += one.error_ml;
    summary.mean_width_root += one.width_root;
    summary.interval_score_root += one.interval_score_root;
    summary.crps_root += one.crps_root;
  }
  const auto n = static_cast<double>(summary.n);
  for (double* mean :
       {&summary.mean_width_ml, &summary.interval_score_ml, &summary.crps_ml, &summary.bias_ml,
        &summary.mean_width_root, &summary.interval_score_root, &summary.crps_root}) {
    *mean /= n;
  }
  summary.coverage = static_cast<double>(summary.covered) / n;
  summary.coverage_range = clopper_pearson(summary.covered, summary.n, 0.95);
  return summary;
}

PairedRatio paired_ratio(std::span<const double> numerators, std::span<const double> denominators) {
  if (numerators.empty() || numerators.size() != denominators.size()) {
    throw Error("paired ratio: expected the same cases in both, and some");
  }
  constexpr std::uint32_t kResamples = 2000;
  constexpr PhiloxKey kKey{0x626F6F74u, 0};  // "boot"
  const std::uint64_t count = numerators.size();
  const auto sum = [](std::span<const double> values) {
    double total = 0;
    for (const double value : values) total += value;
    return total;
  };
  std::vector<double> ratios;
  for (std::uint32_t resample = 0; resample < kResamples; ++resample) {
    double above = 0;
    double below = 0;
    for (std::uint32_t draw = 0; draw < count; ++draw) {
      const std::uint32_t word = philox4x32_10({draw, resample, 0, 0}, kKey)[0];
      const auto at = static_cast<std::size_t>((word * count) >> 32);
      above += numerators[at];
      below += denominators[at];
    }
    if (below > 0) ratios.push_back(above / below);
  }
  constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
  if (ratios.empty()) return {kNone, {kNone, kNone}};
  std::sort(ratios.begin(), ratios.end());
  return {sum(numerators) / sum(denominators),
          {ratios[ratios.size() / 40], ratios[ratios.size() - 1 - ratios.size() / 40]}};
}

}  // namespace mcvol
