#include "mcvol/calibration/regression_features.h"

#include "mcvol/calibration/weighted_sample.h"
#include "mcvol/error/error.h"
#include "mcvol/files/text.h"
#include "mcvol/volumetry/volume_distribution.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

namespace mcvol {

namespace {

/// Median of level sets with its distances to the 5 and 95 % quantiles, as V^(1/3).
struct RootSpread {
  double median, lower, upper;
};

RootSpread root_spread_of(const VolumeDistribution& volumes) {
  // Quantiles are roots that were searched for: equal ones may be out of order by a rounding.
  const double median = std::cbrt(volumes.quantile(0.5));
  return {median, std::max(0.0, median - std::cbrt(volumes.quantile(0.05))),
          std::max(0.0, std::cbrt(volumes.quantile(0.95)) - median)};
}

double root_sd_of(const VolumeDistribution& volumes) { return root_sample(volumes, 0).sd(); }

/// Divided by the number of passes, not one less.
double thresholded_root_sd(const std::vector<LogitHistogram>& passes, double voxel_volume_ml) {
  std::vector<double> roots;
  double sum = 0, squares = 0;
  for (const LogitHistogram& pass : passes) {
    roots.push_back(std::cbrt(static_cast<double>(pass.above_half()) * voxel_volume_ml));
    sum += roots.back();
  }
  const auto count = static_cast<double>(passes.size());
  for (const double root : roots) squares += (root - sum / count) * (root - sum / count);
  return std::sqrt(squares / count);
}

}  // namespace

bool has_regression_features(const RegionPrediction& prediction) {
  return !prediction.without_dropout.empty() && prediction.mean.has_value() &&
         prediction.agreement.size() > 1;
}

RegressionFeatures regression_features(const RegionPrediction& prediction) {
  if (!has_regression_features(prediction)) {
    throw Error(prediction.case_id + ": " + prediction.region +
                ": expected a pass without dropout and the agreement of passes for the regression");
  }
  const double voxel_ml = prediction.voxel_volume_ml;
  const auto root_of_voxels = [&](std::int64_t voxels) {
    return std::cbrt(static_cast<double>(voxels) * voxel_ml);
  };
  const VolumeDistribution no_dropout(prediction.without_dropout, voxel_ml, {});
  const VolumeDistribution passes(prediction.passes, voxel_ml, {});
  const RootSpread without = root_spread_of(no_dropout), with = root_spread_of(passes);
  RegressionFeatures features;
  features.no_dropout_median = without.median;
  features.no_dropout_sd = root_sd_of(no_dropout);
  features.no_dropout_lower = without.lower;
  features.no_dropout_upper = without.upper;
  features.no_dropout_thresholded =
      std::cbrt(mean_thresholded_ml(prediction.without_dropout, voxel_ml));
  features.core_thresholded = std::cbrt(prediction.core_without_dropout_ml);
  features.passes_median = with.median;
  features.passes_lower = with.lower;
  features.passes_upper = with.upper;
  features.sd = root_sd_of(passes);
  features.thresholded_sd = thresholded_root_sd(prediction.passes, voxel_ml);
  features.in_any = root_of_voxels(std::accumulate(prediction.agreement.begin() + 1,
                                                   prediction.agreement.end(), std::int64_t{0}));
  features.in_all = root_of_voxels(prediction.agreement.back());
  features.mean_thresholded = root_of_voxels(prediction.mean->above_half());
  return features;
}

std::size_t core_of(const std::vector<std::string>& names, std::size_t number) {
  for (std::size_t n = 0; n < names.size(); ++n) {
    const std::string name = lower_case(names[n]);
    if (name == "tc" || name.find("core") != std::string::npos) return n;
  }
  return number > 0 ? number - 1 : 0;
}

}  // namespace mcvol
