#pragma once

#include "mcvol/image/image_quality.h"
#include "mcvol/image/prepared_scan.h"
#include "mcvol/network/bundle/bundle.h"

#include <optional>
#include <string>
#include <vector>

namespace mcvol {

/// What a brain that was cut out of its scan measures, ml. Of adults, intracranial volume is 1,000
/// to 1,900 and the brain alone 800 to 1,700; the head with skull, skin and neck 3,500 and more.
inline constexpr double kLeastBrainMl = 300.0;
inline constexpr double kMostBrainMl = 2500.0;
/// Share of the brain that is brain in every channel. One mask for all channels gives 0.9999
/// (docs/scans.md), the masks of two patients of the examples 0.67 to 0.86.
inline constexpr double kLeastInAll = 0.9;

/// What a channel has to tell of the first one once it is shifted by 2 or 4 mm, over what it tells
/// as it lies, for `not_coregistered`. Of 300 simulated scans 3 % tell more shifted, none 1.13
/// times as much; of 100 with a channel shifted by 4 mm all tell 1.3 times as much and more.
inline constexpr double kMostGainByShift = 1.2;

/// What a model requires of its scans.
struct ScanRequirements {
  bool skull_stripped = false;  ///< else what is not background is a head, say, of any size
  bool coregistered = false;
};
ScanRequirements requirements_of(const Bundle& bundle);

/// Of a scan's preparation: `large_brain`, `masks_differ`, `no_background`, `not_coregistered`,
/// `resampled`, `small_brain`, `touches_border`; sorted.
/// @param quality of the scan; without it nothing is said of coregistration.
std::vector<std::string> flags_of(const PreparedScan& scan,
                                  const std::optional<ImageQuality>& quality,
                                  const ScanRequirements& required);

}  // namespace mcvol
