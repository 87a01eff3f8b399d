#pragma once

#include "mcvol/io/tables/volume_row.h"
#include "mcvol/pipeline/map_choice.h"

#include <string>
#include <vector>

#include "map_list.h"

namespace mcvol {

/// The file of a region's mean probability, which others are drawn from.
std::string probability_name(const std::string& region);

/// The images of a case of these regions, not yet drawn.
std::vector<MapEntry> images_of(const std::vector<std::string>& regions,
                                const std::vector<VolumeRow>& rows, const MapChoice& choice);

}  // namespace mcvol
