#pragma once

#include "mcvol/calibration/region_prediction.h"
#include "mcvol/calibration/regression_features.h"

#include <array>

namespace mcvol {

/// What the expected Dice of a segmentation goes by, of one region of one record: what its passes
/// say. Sizes are V^(1/3) in ml^(1/3); relative ones are over root + 0.3.
struct SegmentationFeatures {
  double generalised_dice = 0;  ///< between passes with dropout; 0 where none finds a voxel
  /// Dice of the voxels with p > 0.5 without dropout and sets drawn by that probability, each voxel
  /// on its own, of their mean sizes: 2 sum_in p / (sum p + voxels in); 0 where there is nothing.
  double soft_dice = 0;
  double entropy_inside = 0;  ///< mean entropy of voxels with mean p > 0.5, bits; 1 of none
  double shared_by_all = 0;   ///< size of the voxels in all passes, over 0.1 + that of those in any
  double root = 0;            ///< size of the segmentation
  double relative_spread = 0;  ///< from the 5 to the 95 % quantile of level sets without dropout
  double passes_upper = 0;  ///< relative: 95 % quantile of level sets over passes less their median
  double mean_upper = 0;    ///< the same of the mean probability

  bool operator==(const SegmentationFeatures&) const = default;
};

/// Every feature, its name in calibration.json and whether it is a size, which 1 does not bound.
struct NamedSegmentationFeature {
  const char* name;
  double SegmentationFeatures::*feature;
  bool is_size;
};
inline constexpr std::array kSegmentationFeatures{
    NamedSegmentationFeature{"generalised_dice", &SegmentationFeatures::generalised_dice, false},
    NamedSegmentationFeature{"soft_dice", &SegmentationFeatures::soft_dice, false},
    NamedSegmentationFeature{"entropy_inside", &SegmentationFeatures::entropy_inside, false},
    NamedSegmentationFeature{"shared_by_all", &SegmentationFeatures::shared_by_all, false},
    NamedSegmentationFeature{"root", &SegmentationFeatures::root, true},
    NamedSegmentationFeature{"relative_spread", &SegmentationFeatures::relative_spread, true},
    NamedSegmentationFeature{"passes_upper", &SegmentationFeatures::passes_upper, true},
    NamedSegmentationFeature{"mean_upper", &SegmentationFeatures::mean_upper, true}};

/// False of records of formats 1 to 3, and of a single pass.
bool has_segmentation_features(const RegionPrediction& prediction);
/// @param sizes of the same prediction. @throws Error where there are none.
SegmentationFeatures segmentation_features(const RegionPrediction& prediction,
                                           const RegressionFeatures& sizes);

}  // namespace mcvol
