#pragma once

#include "mcvol/image/image.h"

#include <string>
#include <vector>

namespace mcvol {

/// A scan as the network takes it: all channels on the network's grid (its orientation and
/// spacing), intensities normalised.
struct PreparedScan {
  Grid grid;
  Grid own_grid;                       ///< of its files
  std::vector<Image<float>> channels;  ///< in the bundle's order, all on `grid`
  /// Brain voxels: 1 where any channel was not its background before normalisation.
  Image<std::uint8_t> brain;
  /// Voxels that count in the measurement: the brain, or every voxel ("measure": "all").
  Image<std::uint8_t> measured;
  bool resampled = false;       ///< spacing was changed on the way to `grid`
  bool touches_border = false;  ///< the brain touches the border of the image
  bool no_background = false;   ///< of some channel, all voxels of which but 0 are brain then
  double brain_in_all = 1.0;    ///< share of the brain's voxels that are brain in every channel
  /// What of the files is out of the ordinary and has been seen to, a line each.
  std::vector<std::string> notes;
};

}  // namespace mcvol
