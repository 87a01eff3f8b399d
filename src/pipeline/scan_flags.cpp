#include "mcvol/pipeline/scan_flags.h"

#include <algorithm>
#include <cstdint>

namespace mcvol {

std::vector<std::string> flags_of(const PreparedScan& scan, bool skull_stripped) {
  const auto& brain = scan.brain.values;
  const auto voxels = static_cast<std::int64_t>(brain.size()) -
                      std::count(brain.begin(), brain.end(), std::uint8_t{0});
  const double brain_ml = static_cast<double>(voxels) * scan.grid.voxel_volume_ml();
  std::vector<std::string> flags;
  if (skull_stripped && brain_ml > kMostBrainMl) flags.push_back("large_brain");
  if (scan.brain_in_all < kLeastInAll) flags.push_back("masks_differ");
  if (scan.no_background) flags.push_back("no_background");
  if (scan.resampled) flags.push_back("resampled");
  if (skull_stripped && brain_ml < kLeastBrainMl) flags.push_back("small_brain");
  if (scan.touches_border) flags.push_back("touches_border");
  return flags;
}

}  // namespace mcvol
