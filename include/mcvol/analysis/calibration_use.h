#pragma once

#include "mcvol/analysis/volume_table.h"
#include "mcvol/io/records/run_file.h"

#include <filesystem>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace mcvol {

/// Which calibration a command is to apply.
struct CalibrationChoice {
  enum class Kind {
    kDefault,  ///< the bundle's own, or the result folder's; none where there is none
    kNone,
    kFile,
  };
  Kind kind = Kind::kDefault;
  std::filesystem::path file;  ///< kFile only

  /// "" for the default, "none", or a path.
  static CalibrationChoice parse(const std::string& text);
};

/// Reads a calibration for records made under this run identity.
/// @throws CalibrationError for one made under another, naming the field (another seed is no other:
///   AppliedCalibration::other_seed); for a level that its references do not reach.
CalibrationPointer read_calibration_for(const std::filesystem::path& path,
                                        const nlohmann::json& identity,
                                        const std::vector<NominalCoverage>& levels);

/// Where a result folder keeps the calibration of its table.
std::filesystem::path calibration_path(const std::filesystem::path& folder);

/// The calibration that a result folder keeps; null where it keeps none.
CalibrationPointer kept_calibration(const std::filesystem::path& folder,
                                    const nlohmann::json& identity,
                                    const std::vector<NominalCoverage>& levels);

/// What a command applies to a result folder: the choice, by default what the folder keeps; may be
/// null.
CalibrationPointer chosen_calibration(const CalibrationChoice& choice,
                                      const std::filesystem::path& folder,
                                      const nlohmann::json& identity,
                                      const std::vector<NominalCoverage>& levels);

/// The levels given, else those of the run, else 0.9.
std::vector<NominalCoverage> levels_or_those_of(const std::vector<NominalCoverage>& levels,
                                                const RunFile& run);

/// Keeps a copy of the calibration's file in a result folder; of none, keeps none. A calibration
/// that lies there but is not the one the folder's run.json names is somebody's own.
/// @throws UsageError rather than remove or replace that one.
void keep_calibration(const AppliedCalibration* calibration, const std::filesystem::path& from,
                      const std::filesystem::path& folder);

}  // namespace mcvol
