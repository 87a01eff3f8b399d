#pragma once

#include "mcvol/calibration/nominal_coverage.h"
#include "mcvol/io/tables/volume_row.h"

#include <filesystem>
#include <string>
#include <vector>

namespace mcvol {

struct MergeOptions {
  /// Result folders; one that has shards/ stands for its shards.
  std::vector<std::filesystem::path> sources;
  std::filesystem::path out;  ///< may be the folder the shards lie in
  /// Levels of the merged table; empty: those of the sources, all of them.
  std::vector<NominalCoverage> levels;
};

struct MergeReport {
  int sources = 0;                    ///< result folders read
  int done = 0;                       ///< cases measured in the merged folder
  int failed = 0;                     ///< cases that failed
  bool complete = true;               ///< no shard missing, no run cut short, no record left out
  bool all_sources = true;            ///< no shard missing, no run cut short
  int left_out = 0;                   ///< records
  std::vector<std::string> notes;     ///< why it is not complete, a line each, for the log
  std::vector<std::string> warnings;  ///< what else is to be known, a line each
};

/// Brings shards, or other results of the same run identity, together in one result folder:
/// records, run.json, volumes.csv. The table has the bytes that one run over all cases would have
/// written. Can be repeated: an earlier merge in `out` is brought up to date.
///
/// The calibration of the sources goes with them, and the slices and images of the cases that have
/// some; bounds are drawn to the merged table.
///
/// Of two records of a case `ok` beats `failed`; of an earlier merge in `out` only what no source
/// has measured is kept. A record that cannot be read or was made under another run identity is
/// left out, with a note.
/// @throws UsageError for a folder that is no result folder, for run identities that differ (naming
///   folders, field and values), for calibrations that differ, and for two `ok` records of a case
///   that differ (naming case and folders): before any result is written.
/// @throws FolderLockedError where a run holds a source or `out`. @throws Error where `out` cannot
///   be written.
MergeReport merge_results(const MergeOptions& options);

}  // namespace mcvol
