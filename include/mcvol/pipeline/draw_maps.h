#pragma once

#include "mcvol/analysis/calibration_use.h"
#include "mcvol/calibration/nominal_coverage.h"
#include "mcvol/io/maps/map_choice.h"

#include <filesystem>
#include <string>
#include <vector>

namespace mcvol {

/// What `mcvol maps` is asked to do.
struct DrawMapsOptions {
  std::filesystem::path results;        ///< the result folder
  std::vector<std::string> cases;       ///< case ids; empty: all
  MapChoice save;                       ///< images that are to be there
  std::vector<NominalCoverage> levels;  ///< of bounds; empty: those of the run
  CalibrationChoice calibration;        ///< of bounds; by default the one the result folder keeps
};

struct DrawMapsReport {
  int drawn = 0;  ///< cases of which images were drawn now
  int kept = 0;   ///< cases that had all
  /// Cases that are without some: a line each that says why and what to do.
  std::vector<std::string> without;
  std::vector<std::string> unreadable;  ///< records that cannot be read, a line each
};

/// Draws images of measured cases from the probability that was saved of them, without a network
/// and without their scans. Bounds of other levels are replaced.
/// @throws UsageError for a folder without results, for cases that it has no record of, for a
///   model that has no label map; CalibrationError; FolderLockedError where a run holds the folder;
///   Error where an image cannot be written.
DrawMapsReport draw_maps(const DrawMapsOptions& options);

}  // namespace mcvol
