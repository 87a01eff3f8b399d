#pragma once

#include "mcvol/image/prepared_scan.h"

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

/// Of a scan's preparation: `large_brain`, `masks_differ`, `no_background`, `resampled`,
/// `small_brain`, `touches_border`; sorted.
/// @param skull_stripped whether the model requires it. Else what is not background is no brain but
///   a head, say, the size of which says nothing.
std::vector<std::string> flags_of(const PreparedScan& scan, bool skull_stripped);

}  // namespace mcvol
