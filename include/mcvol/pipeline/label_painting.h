#pragma once

#include "mcvol/io/maps/map_names.h"

#include <vector>

#include <nlohmann/json.hpp>

namespace mcvol {

/// How a label map is made of what is known of a model's regions.
///
/// The classes of a softmax exclude each other, and where regions lie in one another or apart, the
/// probability of what is in a region and in none that lies in it is a difference of theirs. A
/// label map then has the largest class of the mean over passes; of equal ones the first.
/// Of sigmoids, each region's segmentation is painted over those before it, in the model's order.
struct LabelPainting {
  /// Of a softmax. Its probability: `whole` plus those of the regions times these.
  struct Class {
    int label = 0;
    int whole = 0;                ///< 1 of what is in no region
    std::vector<int> of_regions;  ///< [region], -1, 0 or 1
  };
  std::vector<Class> classes;      ///< in the model's order; empty of sigmoids
  std::vector<int> region_labels;  ///< [region] of sigmoids; empty of a softmax
  LabelNames names;                ///< by value, as "whole_tumour less tumour_core"; 0 among them

  int largest_label() const;
};

/// @param model model.json.
/// @throws UsageError where the regions of a softmax leave open which class a voxel has: two labels
///   that no region tells apart, or regions that overlap in part.
LabelPainting label_painting(const nlohmann::json& model);

}  // namespace mcvol
