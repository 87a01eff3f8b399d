#pragma once

#include <filesystem>

namespace mcvol {

/// Results replace files of their names: where those are not a run's, they are somebody's.
/// @throws UsageError naming the first of a result folder's files and folders that no run of mcvol
///   has written there: volumes.csv, report.html, run.json, cases/, thumbnails/, maps/. Its
///   calibration.json is keep_calibration()'s to judge.
void require_no_foreign_files(const std::filesystem::path& folder);

}  // namespace mcvol
