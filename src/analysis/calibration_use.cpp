#include "mcvol/analysis/calibration_use.h"

#include "mcvol/analysis/run_identity.h"
#include "mcvol/calibration/coverage.h"
#include "mcvol/error/error.h"
#include "mcvol/files/sha256.h"
#include "mcvol/files/text_file.h"

#include <optional>
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
                               "; ask for a lower --level, or calibrate on more cases");
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

void require_own_copy(const fs::path& path, const std::string& bytes, const fs::path& folder) {
  const std::optional<RunFile> run = read_run_file(folder);
  const nlohmann::json named =
      run ? run->options.value("calibration", nlohmann::json()) : nlohmann::json();
  if (named == sha256_of_bytes(bytes)) return;
  throw UsageError(path.string() +
                   ": not the calibration of this table, so mcvol does not replace it; move it "
                   "elsewhere, and name it with --calibration if it is to be applied");
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

CalibrationPointer chosen_calibration(const CalibrationChoice& choice, const fs::path& folder,
                                      const nlohmann::json& identity,
                                      const std::vector<NominalCoverage>& levels) {
  switch (choice.kind) {
    case CalibrationChoice::Kind::kNone:
      return nullptr;
    case CalibrationChoice::Kind::kFile:
      return read_calibration_for(choice.file, identity, levels);
    case CalibrationChoice::Kind::kDefault:
      break;
  }
  return kept_calibration(folder, identity, levels);
}

std::vector<NominalCoverage> levels_or_those_of(const std::vector<NominalCoverage>& levels,
                                                const RunFile& run) {
  if (!levels.empty()) return levels;
  return parse_levels(run.levels.empty() ? std::vector<std::string>{"0.9"} : run.levels);
}

void keep_calibration(const AppliedCalibration* calibration, const fs::path& from,
                      const fs::path& folder) {
  const fs::path path = calibration_path(folder);
  const std::string bytes = calibration == nullptr ? "" : read_file(from);
  if (fs::exists(path)) {
    const std::string before = read_file(path);
    if (before == bytes) return;
    require_own_copy(path, before, folder);
  }
  if (calibration != nullptr) return write_file_atomically(path, bytes);
  std::error_code error;
  fs::remove(path, error);
  if (error) throw Error(path.string() + ": cannot be removed: " + error.message());
}

}  // namespace mcvol
