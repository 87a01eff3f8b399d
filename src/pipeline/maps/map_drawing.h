#pragma once

#include "mcvol/image/image.h"
#include "mcvol/io/images/image_source.h"
#include "mcvol/io/maps/map_names.h"
#include "mcvol/io/tables/volume_row.h"
#include "mcvol/pipeline/case_maps.h"
#include "mcvol/pipeline/label_painting.h"

#include <cstdint>
#include <filesystem>
#include <variant>
#include <vector>

namespace mcvol {

/// What images of a case are drawn from.
struct MapSource {
  const std::vector<RegionMap>& regions;
  const std::vector<VolumeRow>& rows;  ///< for the volumes of segmentations in a label map
  const LabelPainting& painting;       ///< for a label map
};

/// An image as its file has it: value = slope * stored.
struct DrawnMap {
  std::variant<Image<std::uint8_t>, Image<std::uint16_t>> stored;
  double slope = 1.0;
};

/// @param entry gets what the image turns out to be.
DrawnMap draw_map(MapEntry& entry, const MapSource& source);

/// Writes an image, after what is to stand beside it.
/// @param grid_of an image with the header that the image is to have.
/// @param labels what label values are called.
void write_map(const MapNames& names, const MapEntry& image, const DrawnMap& map,
               const ImageSource& grid_of, const LabelNames& labels);

}  // namespace mcvol
