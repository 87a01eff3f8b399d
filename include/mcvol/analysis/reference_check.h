#pragma once

#include "mcvol/analysis/referenced_results.h"

#include <map>
#include <string>

namespace mcvol {

/// Whether references can be of what was measured: a calibration on volumes in another unit, or of
/// another region, would be made without a complaint and hold nowhere.
///
/// Refused are: volumes that equal those measured; a median ratio of reference to raw volume
/// outside kLeastRatio to kMostRatio; no volume at all of a region that was measured; references of
/// regions that fit the volumes of each other's far better than their own; parts that are mostly
/// larger than the whole; label maps that fit far better with two labels exchanged. Adds the ratios
/// to `facts`, what is accepted to `notes`.
/// @param name of the references, for messages. @param accept whether to note what would be
///   refused. @param label_map of the values in label maps.
/// @return why they are refused; empty where they are not.
std::string judge_references(ReferencedResults& results, const std::string& name, bool accept,
                             const std::map<int, int>& label_map);

/// Segmentations of one tumour by different hands differ by less.
inline constexpr double kLeastRatio = 0.2, kMostRatio = 5;

}  // namespace mcvol
