#pragma once

#include "mcvol/calibration/region_calibration.h"
#include "mcvol/io/records/run_file.h"
#include "mcvol/io/tables/references.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace mcvol {

/// Where known volumes come from.
struct ReferenceSource {
  std::filesystem::path path;    ///< a table, or a folder of label maps
  std::map<int, int> label_map;  ///< of the values in label maps
};

/// A region whose volume is known.
struct ReferencedRegion {
  RegionPrediction prediction;
  double volume_ml = 0;
};

/// A measured case with at least one known volume.
struct ReferencedCase {
  std::string case_id;
  std::string scan_sha256;
  std::vector<ReferencedRegion> regions;
  std::string problem;  ///< why record or label map cannot be read
};

/// The measured cases of a result folder that have references.
struct ReferencedResults {
  RunFile run;
  std::vector<std::string> regions;   ///< of the bundle, in its order
  std::vector<ReferencedCase> cases;  ///< sorted by case_id
  std::vector<std::string> notes;     ///< what could not be used and how much of it, a line each
};

/// The run of a result folder. @throws UsageError where it holds none.
RunFile require_run_file(const std::filesystem::path& folder);

/// Reads records and references. Failed records, records of other runs, cases without references
/// and references without cases are counted in the notes.
/// @throws UsageError for references that cannot be read, or where no case or for a region none has
///   one.
ReferencedResults read_referenced_results(const std::filesystem::path& folder,
                                          const ReferenceSource& source, int threads);

}  // namespace mcvol
