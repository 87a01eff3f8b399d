#pragma once

#include "mcvol/io/records/case_record.h"

#include <string>
#include <vector>

namespace mcvol {

/// Generalised Dice between passes below which they are said to disagree. Passes are draws of one
/// network, so that they share its errors and overlap with each other more than with a reference:
/// where even they overlap so little, the segmentation is hardly worth more. On development scans
/// it holds of 64 of 146 segmentations with a Dice below 0.7, and of none of 696 others
/// (experiments/quality).
inline constexpr double kLeastDiceOfPasses = 0.8;
/// Width of the raw interval at kRawLevel over the raw volume: not even the first digit is known.
/// There, it holds of 86 of the 146 and of 35 of the 696.
inline constexpr double kMostRawWidth = 1.0;
inline constexpr double kRawLevel = 0.9;
/// Share of the segmentation that its largest piece has at least. One tumour is one piece with
/// specks about it; where no piece has half, either there are several tumours or none.
inline constexpr double kLeastFocusShare = 0.5;

/// What the passes by themselves say against a segmentation, where no calibration expects its Dice:
/// `passes_disagree`, `scattered`, `wide_raw_interval`, sorted. Nothing of a region without a
/// voxel, which is `empty`, nor of what an earlier version did not record.
/// @param raw_ml median of the level sets over passes. @param width_ml of their interval at
///   kRawLevel.
std::vector<std::string> pass_flags(const RegionRecord& region, double raw_ml, double width_ml);

}  // namespace mcvol
