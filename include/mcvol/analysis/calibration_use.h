#pragma once

#include "mcvol/analysis/volume_table.h"
#include "mcvol/io/records/run_file.h"

#include <filesystem>
#include <optional>
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

/// Why a calibration does not hold for records made under this run identity, naming the field;
/// empty where it does.
std::string why_not_for(const CalibrationFile& calibration, const nlohmann::json& identity);

/// Whether a result folder keeps a calibration that its run.json names: the one of its table.
bool keeps_own_calibration(const std::filesystem::path& folder);

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

/// The same with AppliedCalibration::least_dice; null of null.
CalibrationPointer with_least_dice(const CalibrationPointer& calibration,
                                   std::optional<double> least_dice);

/// @throws UsageError where --quality is given, and no calibration that it could work with: no flag
///   would look as if all were well.
void require_expected_dice(const AppliedCalibration* calibration, std::optional<double> least_dice);

/// What run.json keeps of --quality.
std::optional<double> least_dice_of(const RunFile& run);

/// The levels given, else those of the run, else 0.9.
std::vector<NominalCoverage> levels_or_those_of(const std::vector<NominalCoverage>& levels,
                                                const RunFile& run);

/// The options of run.json that name calibrations: `calibration` is the sha256 of the table's.
/// run.json is written before calibration.json is replaced, and names in `calibration_before` what
/// may still lie there: a run that is killed between the two leaves nothing that the next takes
/// for somebody's own.
/// @param earlier the run file that is replaced; may be none.
void name_calibrations(nlohmann::json& options, const AppliedCalibration* calibration,
                       const std::optional<RunFile>& earlier);

/// @throws UsageError where keep_calibration() would.
void require_replaceable_calibration(const AppliedCalibration* calibration,
                                     const std::filesystem::path& from,
                                     const std::filesystem::path& folder);

/// Keeps a copy of the calibration's file in a result folder; of none, keeps none. A calibration
/// that lies there but is not the one the folder's run.json names is somebody's own.
/// @throws UsageError rather than remove or replace that one.
void keep_calibration(const AppliedCalibration* calibration, const std::filesystem::path& from,
                      const std::filesystem::path& folder);

}  // namespace mcvol
