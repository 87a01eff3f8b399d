#pragma once

#include <filesystem>

namespace mcvol {

/// Whether a folder is a data set whose images mcvol wrote, as `GeneratedBy` of its
/// dataset_description.json says (BIDS). Of one that cannot be read it is not known, so false.
bool is_data_set_of_mcvol(const std::filesystem::path& folder);

}  // namespace mcvol
