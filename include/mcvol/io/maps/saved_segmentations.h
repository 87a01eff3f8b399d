#pragma once

#include "mcvol/io/records/case_record.h"

#include <filesystem>
#include <optional>
#include <vector>

namespace mcvol {

/// The saved segmentations (--save segmentation) of a record's regions, in their order; none unless
/// there is one of each, whole and of this measurement. They lie on the grid of the scan's first
/// channel, which a network of a spacing of its own does not measure on.
std::optional<std::vector<std::filesystem::path>> saved_segmentations(
    const std::filesystem::path& folder, const CaseRecord& record);

}  // namespace mcvol
