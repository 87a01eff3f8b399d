#pragma once

#include "mcvol/calibration/region_prediction.h"

#include <array>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace mcvol {

/// What the regression takes of one region of one record, all of them V^(1/3) or differences of it,
/// in ml^(1/3). Level sets without the rule that small volumes count as absent.
struct RegressionFeatures {
  // Of the pass without dropout:
  double no_dropout_median = 0;       ///< of its level sets
  double no_dropout_sd = 0;           ///< of V^(1/3) over its level sets
  double no_dropout_lower = 0;        ///< median less the 5 % quantile
  double no_dropout_upper = 0;        ///< 95 % quantile less the median
  double no_dropout_thresholded = 0;  ///< of the voxels with p > 0.5
  double core_thresholded = 0;        ///< the same of the region that stands for its core
  // Of the passes with dropout:
  double sd = 0;              ///< of V^(1/3) over passes and level sets
  double thresholded_sd = 0;  ///< over passes, of the voxels with p > 0.5
  // Of the mean probability over passes:
  double mean_upper = 0;        ///< 95 % quantile of its level sets less their median
  double mean_thresholded = 0;  ///< of the voxels with p > 0.5
  double mean_expected = 0;     ///< of the summed probability

  bool operator==(const RegressionFeatures&) const = default;
};

/// Every feature and its name in calibration.json.
using NamedFeature = std::pair<const char*, double RegressionFeatures::*>;
inline constexpr std::array kRegressionFeatures{
    NamedFeature{"no_dropout_median", &RegressionFeatures::no_dropout_median},
    NamedFeature{"no_dropout_sd", &RegressionFeatures::no_dropout_sd},
    NamedFeature{"no_dropout_lower", &RegressionFeatures::no_dropout_lower},
    NamedFeature{"no_dropout_upper", &RegressionFeatures::no_dropout_upper},
    NamedFeature{"no_dropout_thresholded", &RegressionFeatures::no_dropout_thresholded},
    NamedFeature{"core_thresholded", &RegressionFeatures::core_thresholded},
    NamedFeature{"sd", &RegressionFeatures::sd},
    NamedFeature{"thresholded_sd", &RegressionFeatures::thresholded_sd},
    NamedFeature{"mean_upper", &RegressionFeatures::mean_upper},
    NamedFeature{"mean_thresholded", &RegressionFeatures::mean_thresholded},
    NamedFeature{"mean_expected", &RegressionFeatures::mean_expected}};

/// @throws Error where the prediction has no pass without dropout (has_regression_features()).
RegressionFeatures regression_features(const RegionPrediction& prediction);
/// False of records of format 1.
bool has_regression_features(const RegionPrediction& prediction);

/// The number of the region whose size without dropout says whether a small volume of region
/// `number` is a small tumour or a missed one: a region called core, where there is one; else the
/// region before it, which in bundles is the one around it; of the first, itself.
/// @param names of the bundle's regions, in its order.
std::size_t core_of(const std::vector<std::string>& names, std::size_t number);

}  // namespace mcvol
