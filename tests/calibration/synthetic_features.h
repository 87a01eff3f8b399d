#pragma once

#include "mcvol/calibration/regression_fit.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace mcvol::testing {

/// How the truth scatters around what was predicted.
enum class Errors { kNormal, kHeavyTailed, kSkewed, kBiased, kAbsent };

/// Scans of which the passes know in part how far off they are: as features and V^(1/3).
inline std::vector<RegressionFit::Scan> synthetic_feature_scans(int count, Errors errors,
                                                                std::mt19937_64& engine) {
  std::normal_distribution<double> normal;
  std::student_t_distribution<double> student(2);
  std::exponential_distribution<double> exponential;
  std::uniform_real_distribution<double> uniform;
  std::vector<RegressionFit::Scan> scans;
  for (int n = 0; n < count; ++n) {
    const double median = 0.8 * std::pow(7.0, uniform(engine));
    const double sd = 0.03 * std::exp(0.8 * normal(engine));
    RegressionFeatures of;
    of.no_dropout_median = median;
    of.no_dropout_sd = sd * (0.5 + uniform(engine));
    of.no_dropout_lower = 1.6 * sd * (0.5 + uniform(engine));
    of.no_dropout_upper = 1.6 * sd * (0.5 + uniform(engine));
    of.no_dropout_thresholded = median + 0.1 * sd * normal(engine);
    of.core_thresholded = of.no_dropout_thresholded * uniform(engine);
    of.sd = sd;
    of.thresholded_sd = 0.4 * sd * (0.5 + uniform(engine));
    of.passes_median = median + 0.2 * sd * normal(engine);
    of.passes_lower = 2 * sd * (0.5 + uniform(engine));
    of.passes_upper = 2 * sd * (0.5 + uniform(engine));
    of.mean_thresholded = of.no_dropout_thresholded + 0.3 * sd * normal(engine);
    of.in_any = of.mean_thresholded + sd * uniform(engine);
    of.in_all = of.mean_thresholded - sd * uniform(engine);
    double error = normal(engine);
    if (errors == Errors::kHeavyTailed) error = student(engine);
    if (errors == Errors::kSkewed) error = exponential(engine) - 1;
    double root = median + 2 * sd * error;
    if (errors == Errors::kBiased) root = 1.2 * median + 0.3 + 2 * sd * error;
    if (errors == Errors::kAbsent && uniform(engine) < 0.15) root = 0;
    for (const auto& [name, feature] : kRegressionFeatures)
      of.*feature = std::max(of.*feature, 0.0);
    scans.push_back({of, std::max(root, 0.0)});
  }
  return scans;
}

}  // namespace mcvol::testing
