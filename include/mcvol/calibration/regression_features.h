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
  double passes_median = 0;     ///< of level sets, over passes
  double passes_lower = 0;      ///< median less the 5 % quantile
  double passes_upper = 0;      ///< 95 % quantile less the median
  double sd = 0;                ///< of V^(1/3) over passes and level sets
  double thresholded_sd = 0;    ///< over passes, of the voxels with p > 0.5
  double in_any = 0;            ///< of the voxels with p > 0.5 in any of the passes
  double in_all = 0;            ///< of those in all of them
  double mean_thresholded = 0;  ///< of those whose mean probability over passes exceeds 0.5

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
    NamedFeature{"passes_median", &RegressionFeatures::passes_median},
    NamedFeature{"passes_lower", &RegressionFeatures::passes_lower},
    NamedFeature{"passes_upper", &RegressionFeatures::passes_upper},
    NamedFeature{"sd", &RegressionFeatures::sd},
    NamedFeature{"thresholded_sd", &RegressionFeatures::thresholded_sd},
    NamedFeature{"in_any", &RegressionFeatures::in_any},
    NamedFeature{"in_all", &RegressionFeatures::in_all},
    NamedFeature{"mean_thresholded", &RegressionFeatures::mean_thresholded}};

/// @throws Error where the prediction lacks what they are made of (has_regression_features()).
RegressionFeatures regression_features(const RegionPrediction& prediction);
/// Whether it has a pass without dropout and the agreement of passes: not of formats 1 to 3.
bool has_regression_features(const RegionPrediction& prediction);

/// The number of the region whose size without dropout says whether a small volume of region
/// `number` is a small tumour or a missed one: a region called core, where there is one; else the
/// region before it, which in bundles is the one around it; of the first, itself.
/// @param names of the bundle's regions, in its order.
std::size_t core_of(const std::vector<std::string>& names, std::size_t number);

}  // namespace mcvol
