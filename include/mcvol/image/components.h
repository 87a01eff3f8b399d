#pragma once

#include "mcvol/image/image.h"

#include <cstdint>
#include <vector>

namespace mcvol {

/// Sizes in voxels of the connected components of a mask's non-zero voxels, the largest first. Two
/// voxels hang together where they share a face, an edge or a corner (26-connectivity).
/// @param mask is used up.
std::vector<std::int64_t> component_sizes(Image<std::uint8_t> mask);

}  // namespace mcvol
