#include "mcvol/calibration/volume_change.h"

#include "mcvol/calibration/sample_quantile.h"
#include "mcvol/error/error.h"
#include "mcvol/volumetry/normal.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <sstream>

namespace mcvol {

namespace {

/// Equally likely values of a normal variable.
constexpr int kGridPoints = 256;

std::vector<double> normal_grid() {
  std::vector<double> points;
  for (int j = 0; j < kGridPoints; ++j) {
    points.push_back(probit((j + 0.5) / kGridPoints));
  }
  return points;
}

/// Quantile of `points` at i / (n + 1), linear between, held to the first and the last.
double quantile_at(std::span<const double> points, double probability) {
  const auto n = static_cast<double>(points.size());
  const double position = std::clamp(probability * (n + 1), 1.0, n);
  const auto below = static_cast<std::size_t>(position) - 1;
  const double fraction = position - std::floor(position);
  if (fraction == 0) return points[below];
  return points[below] + fraction * (points[below + 1] - points[below]);
}

int decimals_of(const NominalCoverage& level) {
  int decimals = 0;
  for (std::int64_t power = level.denominator; power > 1; power /= 10) ++decimals;
  return decimals;
}

}  // namespace

VolumeChange correlated_change(std::span<const double> baseline_ml,
                               std::span<const double> followup_ml, double correlation,
                               double growth_threshold, std::span<const NominalCoverage> levels) {
  if (baseline_ml.empty() || followup_ml.empty() || !(std::abs(correlation) <= 1)) {
    throw Error("change: expected two distributions and a correlation from -1 to 1");
  }
  static const std::vector<double> kGrid = normal_grid();
  const double rest = std::sqrt(1 - correlation * correlation);
  std::vector<double> changes;
  changes.reserve(kGrid.size() * kGrid.size());
  std::int64_t grown = 0;
  std::int64_t shrunk = 0;
  for (const double first : kGrid) {
    const double before = quantile_at(baseline_ml, normal_cdf(first));
    for (const double other : kGrid) {
      const double after = quantile_at(followup_ml, normal_cdf(correlation * first + rest * other));
      changes.push_back(after - before);
      grown += after > before * (1 + growth_threshold) ? 1 : 0;
      shrunk += after < before * (1 - growth_threshold) ? 1 : 0;
    }
  }
  const auto total = static_cast<double>(changes.size());
  std::sort(changes.begin(), changes.end());
  VolumeChange change;
  change.change_ml = sample_quantile(changes, 0.5);
  for (const NominalCoverage& level : levels) {
    change.intervals.push_back({sample_quantile(changes, (1 - level.value) / 2),
                                sample_quantile(changes, (1 + level.value) / 2)});
  }
  const auto n = static_cast<double>(std::min(baseline_ml.size(), followup_ml.size()));
  const auto held = [n](double probability) {
    return std::clamp(probability, 1 / (n + 1), n / (n + 1));
  };
  change.p_growth = held(static_cast<double>(grown) / total);
  change.p_shrinkage = held(static_cast<double>(shrunk) / total);
  change.p_tie = std::max(1 - change.p_growth - change.p_shrinkage, 0.0);
  return change;
}

NominalCoverage bonferroni_level(const NominalCoverage& level) {
  NominalCoverage each = level;
  each.value = (1 + level.value) / 2;
  each.numerator = level.denominator + level.numerator;
  each.denominator = 2 * level.denominator;
  // One decimal more is exact.
  std::ostringstream text;
  text << std::fixed << std::setprecision(decimals_of(level) + 1) << each.value;
  each.text = text.str();
  return each;
}

VolumeChange bonferroni_change(const VolumeEstimate& baseline, const VolumeEstimate& followup) {
  VolumeChange change;
  change.change_ml = followup.median_ml - baseline.median_ml;
  for (std::size_t n = 0; n < baseline.intervals.size(); ++n) {
    change.intervals.push_back({followup.intervals[n].lower_ml - baseline.intervals[n].upper_ml,
                                followup.intervals[n].upper_ml - baseline.intervals[n].lower_ml});
  }
  return change;
}

}  // namespace mcvol
