#pragma once

#include "mcvol/analysis/calibration_use.h"
#include "mcvol/volumetry/volume_distribution.h"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mcvol {

struct TabulateOptions {
  std::filesystem::path results;
  CalibrationChoice calibration;        ///< by default the one that the result folder keeps
  std::vector<NominalCoverage> levels;  ///< empty: those of the run
  std::optional<double> least_dice;     ///< AppliedCalibration::least_dice; none: the run's
  /// In place of level sets in the raw columns; such rows are not calibrated.
  std::optional<SamplerOptions> sampler;
  int threads = 1;
};

struct Tabulation {
  std::vector<NominalCoverage> levels;
  CalibrationPointer calibration;                              ///< what was applied; may be null
  std::map<std::string, std::vector<VolumeRow>> rows_by_case;  ///< by case_id
  int failed = 0;                                              ///< cases
  std::optional<BatchCheck> batch;                             ///< none where it is not known
  std::vector<std::string> notes;                              ///< a line each
  std::vector<std::string> unreadable;  ///< records that are not in the table, a line each

  /// As volumes.csv.
  std::string csv() const;
};

/// The rows of volumes.csv of a result folder's records at other levels, with another calibration
/// or another conversion. No inference.
/// @throws UsageError, CalibrationError.
Tabulation tabulate(const TabulateOptions& options);

}  // namespace mcvol
