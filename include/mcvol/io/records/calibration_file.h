#pragma once

#include "mcvol/calibration/region_calibration.h"
#include "mcvol/image/image_quality.h"

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace mcvol {

/// calibration.json: what scans of known volume say of a network's passes.
struct CalibrationFile {
  IntervalMethod method = kDefaultMethod;  ///< one of kCalibrationMethods
  bool simulated = false;                  ///< made on simulated scans
  std::string version;                     ///< of the mcvol that made it
  nlohmann::json identity;                 ///< run identity of the passes (analysis/run_identity.h)
  std::string model_sha256;                ///< of model.json
  /// scan_sha256() of every scan it was made on, and of those left out for another of their group.
  std::set<std::string> scans;
  std::vector<RegionCalibration> regions;  ///< in the bundle's order
  /// Of the scans it was made on, by the size of the brain and not in the order of the cases; empty
  /// in format 1, and where a record has none.
  std::vector<ImageQuality> image_quality;

  std::string sha256;  ///< of the file's bytes; its first 8 digits are the table's `calibration`

  /// @throws CalibrationError where there is none.
  const RegionCalibration& region(const std::string& name) const;
};

struct CaseRecord;
/// One SHA-256 for all the files of a scan, whatever they are called: of their own, sorted.
std::string scan_sha256(const CaseRecord& record);

/// Whether a file is a calibration rather than a record, by its fields; false where it is no JSON.
bool is_calibration_file(const std::filesystem::path& path);

/// @throws CalibrationError naming the file, the field, what was expected and what was found.
CalibrationFile read_calibration_file(const std::filesystem::path& path);
/// Atomic; the same calibration gives the same bytes. Returns their SHA-256.
/// @throws Error when it cannot be written.
std::string write_calibration_file(const CalibrationFile& calibration,
                                   const std::filesystem::path& path);

}  // namespace mcvol
