#pragma once

#include "mcvol/io/maps/map_choice.h"
#include "mcvol/io/maps/map_names.h"
#include "mcvol/io/tables/volume_row.h"

#include <string>
#include <vector>

namespace mcvol {

/// The images of a case of these regions, not yet drawn.
std::vector<MapEntry> images_of(const MapNames& names, const std::vector<std::string>& regions,
                                const std::vector<VolumeRow>& rows, const MapChoice& choice);

}  // namespace mcvol
