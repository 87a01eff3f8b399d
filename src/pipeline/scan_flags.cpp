#include "mcvol/pipeline/scan_flags.h"

#include <algorithm>
#include <cstdint>

namespace mcvol {

namespace {

/// Whether a channel tells more of the first one where it does not lie.
bool fits_better_shifted(const ChannelQuality& channel) {
  const auto& information = channel.mutual_information;
  if (!information || !information->unshifted) return false;
  for (const auto& axes : information->shifted) {
    for (const auto& sides : axes) {
      for (const std::optional<double>& shifted : sides) {
        if (shifted && *shifted > kMostGainByShift * *information->unshifted) return true;
      }
    }
  }
  return false;
}

}  // namespace

ScanRequirements requirements_of(const Bundle& bundle) {
  return {bundle.requires_skull_stripped(), bundle.requires_coregistered()};
}

std::vector<std::string> flags_of(const PreparedScan& scan,
                                  const std::optional<ImageQuality>& quality,
                                  const ScanRequirements& required) {
  const auto& brain = scan.brain.values;
  const auto voxels = static_cast<std::int64_t>(brain.size()) -
                      std::count(brain.begin(), brain.end(), std::uint8_t{0});
  const double brain_ml = static_cast<double>(voxels) * scan.grid.voxel_volume_ml();
  std::vector<std::string> flags;
  if (required.skull_stripped && brain_ml > kMostBrainMl) flags.push_back("large_brain");
  if (scan.brain_in_all < kLeastInAll) flags.push_back("masks_differ");
  if (scan.no_background) flags.push_back("no_background");
  if (required.coregistered && quality &&
      std::any_of(quality->channels.begin(), quality->channels.end(), fits_better_shifted)) {
    flags.push_back("not_coregistered");
  }
  if (scan.resampled) flags.push_back("resampled");
  if (required.skull_stripped && brain_ml < kLeastBrainMl) flags.push_back("small_brain");
  if (scan.touches_border) flags.push_back("touches_border");
  return flags;
}

}  // namespace mcvol
