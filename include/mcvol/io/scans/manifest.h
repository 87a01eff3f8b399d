#pragma once

#include "mcvol/io/scans/scan_discovery.h"

#include <filesystem>
#include <string>
#include <vector>

namespace mcvol {

/// What a manifest lists.
struct Manifest {
  std::vector<ScanCase> cases;       ///< in the file's order, by their names as given
  std::vector<int> lines;            ///< of these, from 1
  std::vector<std::string> ignored;  ///< columns that are no channel
};

/// Reads a manifest: a CSV file with the column `case_id` and one named like each channel, holding
/// a path relative to the manifest's folder, or an absolute one, of a 4-D file with the index of
/// the channel's image (image_source_from()). Blanks around a value do not count. A file that is
/// not there, or is no NIfTI by its name, is its case's error. Rows of empty fields do not count;
/// one without case_id is a case of its own, with that error.
/// @throws Error when the manifest cannot be read or lists no case; UsageError when it is no such
///   table: a column missing.
Manifest read_manifest(const std::filesystem::path& path,
                       const std::vector<ChannelPattern>& channels);

}  // namespace mcvol
