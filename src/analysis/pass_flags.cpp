#include "pass_flags.h"

#include "mcvol/volumetry/agreement.h"

namespace mcvol {

namespace {

bool passes_disagree(const RegionRecord& region) {
  if (region.agreement.empty()) return false;
  const std::optional<double> dice = generalised_dice(region.agreement);
  return dice && *dice < kLeastDiceOfPasses;
}

bool is_scattered(const RegionRecord& region) {
  // Of probabilities of exactly one half the two may be rounded to different sides.
  return region.segmentation && region.segmentation->foci > 0 &&
         static_cast<double>(region.segmentation->largest_focus_voxels) <
             kLeastFocusShare * static_cast<double>(region.mean.above_half());
}

}  // namespace

std::vector<std::string> pass_flags(const RegionRecord& region, double raw_ml, double width_ml) {
  std::vector<std::string> flags;
  if (region.mean.above_half() == 0) return flags;
  if (passes_disagree(region)) flags.emplace_back("passes_disagree");
  if (is_scattered(region)) flags.emplace_back("scattered");
  if (width_ml > kMostRawWidth * raw_ml) flags.emplace_back("wide_raw_interval");
  return flags;
}

}  // namespace mcvol
