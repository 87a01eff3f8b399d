#include "mcvol/pipeline/calibration_use.h"

#include "mcvol/calibration/coverage.h"
#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"
#include "mcvol/pipeline/run_identity.h"

#include <system_error>

namespace mcvol {

namespace {

namespace fs = std::filesystem;

void require_levels(const CalibrationFile& calibration, const fs::path& path,
                    const std::vector<NominalCoverage>& levels) {
  for (const RegionCalibration& region : calibration.regions) {
    for (const RegionCalibration::Stratum& stratum : region.strata) {
      for (const NominalCoverage& level : levels) {
        if (cut_of(calibration.method, stratum.n(), level)) continue;
        throw CalibrationError(path.string() + ": " + region.region + " has " +
                               std::to_string(stratum.n()) + " references in a stratum, level " +
                               level.text + " takes " + std::to_string(least_references(level)) +
                               "; ask for a lower --level, or calibrate on more scans");
      }
    }
  }
}

/// Identities without their seeds.
bool differ_beyond_seed(nlohmann::json first, nlohmann::json second,
                        std::optional<IdentityDifference>& found) {
  first.erase("seed");
  second.erase("seed");
  found = difference(first, second);
  return found.has_value();
}

}  // namespace

CalibrationChoice CalibrationChoice::parse(const std::string& text) {
  if (text.empty()) return {};
  if (text == "none") return {Kind::kNone, {}};
  return {Kind::kFile, text};
}

CalibrationPointer read_calibration_for(const fs::path& path, const nlohmann::json& identity,
                                        const std::vector<NominalCoverage>& levels) {
  AppliedCalibration applied{read_calibration_file(path), sha256_of_identity(identity), false};
  std::optional<IdentityDifference> found;
  if (differ_beyond_seed(applied.file.identity, identity, found)) {
    throw CalibrationError(path.string() + ": made with " + found->field + " " + found->first +
                           ", these passes have " + found->second +
                           "; it holds for its own only: use the same, or --calibration none");
  }
  applied.other_seed = applied.file.identity.value("seed", nlohmann::json()) !=
                       identity.value("seed", nlohmann::json());
  require_levels(applied.file, path, levels);
  return std::make_shared<const AppliedCalibration>(std::move(applied));
}

fs::path calibration_path(const fs::path& folder) { return folder / "calibration.json"; }

CalibrationPointer kept_calibration(const fs::path& folder, const nlohmann::json& identity,
                                    const std::vector<NominalCoverage>& levels) {
  const fs::path path = calibration_path(folder);
  std::error_code error;
  if (!fs::exists(path, error) && !error) return nullptr;
  return read_calibration_for(path, identity, levels);
}

void keep_calibration(const AppliedCalibration* calibration, const fs::path& from,
                      const fs::path& folder) {
  const fs::path path = calibration_path(folder);
  if (calibration != nullptr) {
    const std::string bytes = read_file(from);
    if (fs::exists(path) && read_file(path) == bytes) return;
    write_file_atomically(path, bytes);
    return;
  }
  std::error_code error;
  fs::remove(path, error);
  if (error) throw Error(path.string() + ": cannot be removed: " + error.message());
}

}  // namespace mcvol
