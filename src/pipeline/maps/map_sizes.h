#pragma once

#include "mcvol/io/maps/map_choice.h"
#include "mcvol/pipeline/predict_plan.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace mcvol {

/// What the chosen images of a case take on the disk, about: they compress well, as most of a scan
/// is background or surely in no region.
double map_bytes(double voxels, std::size_t regions, std::size_t levels, const MapChoice& choice);

/// What the images of the cases to measure will take.
struct MapSizes {
  double bytes = 0;
  int cases = 0;
};

/// By the headers of some of their scans, spread over all; those that cannot be read are passed
/// over. None where none can, or no case is to be measured.
std::optional<MapSizes> map_sizes(const PredictPlan& plan, std::size_t levels,
                                  const MapChoice& choice);

/// "1.6 GB", in powers of 1000 as disks are sold.
std::string bytes_in_words(double bytes);

}  // namespace mcvol
