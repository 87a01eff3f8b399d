#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace mcvol {

/// Two scans of one subject, by case_id.
struct ScanPair {
  std::string subject_id;
  std::string baseline;
  std::string followup;
};

/// Reads the columns subject_id, baseline and followup of a CSV file, in its order; others are
/// passed over. A subject may have several pairs.
/// @throws UsageError naming file and line: a column missing, an empty field, a scan paired with
///   itself, a pair given twice, no pair at all. @throws Error when it cannot be read.
std::vector<ScanPair> read_pairs(const std::filesystem::path& path);

}  // namespace mcvol
