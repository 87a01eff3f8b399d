#pragma once

#include "mcvol/io/tables/volume_row.h"
#include "mcvol/pipeline/map_choice.h"

#include <string>
#include <vector>

#include "map_names.h"

namespace mcvol {

/// The images of a case of these regions, not yet drawn.
std::vector<MapEntry> images_of(const MapNames& names, const std::vector<std::string>& regions,
                                const std::vector<VolumeRow>& rows, const MapChoice& choice);

}  // namespace mcvol
