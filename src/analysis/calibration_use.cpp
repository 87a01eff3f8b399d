#include "mcvol/analysis/calibration_use.h"

#include "mcvol/analysis/run_identity.h"
#include "mcvol/calibration/coverage.h"
#include "mcvol/error/error.h"
#include "mcvol/files/sha256.h"
#include "mcvol/files/text_file.h"

#include <algorithm>
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

/// Null where the calibration does not know what its scans look like.
std::shared_ptr<const ScanComparison> comparison_with(const CalibrationFile& calibration,
                                                      const fs::path& path) {
  if (calibration.image_quality.empty()) return nullptr;
  const nlohmann::json model = calibration.identity.value("model", nlohmann::json::object());
  const std::size_t expected = model.value("channels", nlohmann::json::array()).size();
  const std::size_t found = calibration.image_quality.front().channels.size();
  if (found != expected) {
    throw CalibrationError(path.string() + ": image_quality: of " + std::to_string(found) +
                           " channels, expected the " + std::to_string(expected) + " of its model");
  }
  return std::make_shared<const ScanComparison>(calibration.image_quality);
}

/// Identities without their seeds.
bool differ_beyond_seed(nlohmann::json first, nlohmann::json second,
                        std::optional<IdentityDifference>& found) {
  first.erase("seed");
  second.erase("seed");
  found = difference(first, second);
  return found.has_value();
}

/// Of the calibrations that run.json names.
bool is_named(const std::optional<RunFile>& run, const std::string& sha256) {
  if (!run) return false;
  if (run->options.value("calibration", nlohmann::json()) == sha256) return true;
  const nlohmann::json before = run->options.value("calibration_before", nlohmann::json());
  return before.is_array() && std::find(before.begin(), before.end(), sha256) != before.end();
}

/// What a file is to hold of a calibration; empty for none.
std::string bytes_of(const AppliedCalibration* calibration, const fs::path& from) {
  return calibration == nullptr ? "" : read_file(from);
}

void require_own_copy(const fs::path& folder, const std::string& bytes) {
  const fs::path path = calibration_path(folder);
  if (!fs::exists(path)) return;
  const std::string before = read_file(path);
  if (before == bytes || is_named(read_run_file(folder), sha256_of_bytes(before))) return;
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

std::string why_not_for(const CalibrationFile& calibration, const nlohmann::json& identity) {
  std::optional<IdentityDifference> found;
  if (!differ_beyond_seed(calibration.identity, identity, found)) return "";
  return "made with " + found->field + " " + found->first + ", these passes have " + found->second;
}

CalibrationPointer read_calibration_for(const fs::path& path, const nlohmann::json& identity,
                                        const std::vector<NominalCoverage>& levels) {
  AppliedCalibration applied{read_calibration_file(path), sha256_of_identity(identity), false,
                             nullptr, std::nullopt};
  if (const std::string reason = why_not_for(applied.file, identity); !reason.empty()) {
    throw CalibrationError(path.string() + ": " + reason +
                           "; it holds for its own only: use the same, or --calibration none");
  }
  applied.other_seed = applied.file.identity.value("seed", nlohmann::json()) !=
                       identity.value("seed", nlohmann::json());
  require_levels(applied.file, path, levels);
  applied.comparison = comparison_with(applied.file, path);
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

CalibrationPointer with_least_dice(const CalibrationPointer& calibration,
                                   std::optional<double> least_dice) {
  if (!calibration || !least_dice) return calibration;
  AppliedCalibration applied = *calibration;
  applied.least_dice = least_dice;
  return std::make_shared<const AppliedCalibration>(std::move(applied));
}

void require_expected_dice(const AppliedCalibration* calibration,
                           std::optional<double> least_dice) {
  if (!least_dice) return;
  const bool expects =
      calibration != nullptr &&
      std::any_of(calibration->file.regions.begin(), calibration->file.regions.end(),
                  [](const RegionCalibration& region) { return region.dice; });
  if (expects) return;
  throw UsageError(
      std::string("--quality: ") +
      (calibration == nullptr ? "there is no calibration to expect a Dice"
                              : "the calibration does not know what Dice to expect") +
      "; leave it out, or calibrate on label maps of cases measured with --save segmentation");
}

std::optional<double> least_dice_of(const RunFile& run) {
  const auto found = run.options.find("quality");
  if (found == run.options.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

std::vector<NominalCoverage> levels_or_those_of(const std::vector<NominalCoverage>& levels,
                                                const RunFile& run) {
  if (!levels.empty()) return levels;
  return parse_levels(run.levels.empty() ? std::vector<std::string>{"0.9"} : run.levels);
}

bool keeps_own_calibration(const fs::path& folder) {
  const fs::path path = calibration_path(folder);
  std::error_code error;
  return fs::is_regular_file(path, error) &&
         is_named(read_run_file(folder), sha256_of_bytes(read_file(path)));
}

void name_calibrations(nlohmann::json& options, const AppliedCalibration* calibration,
                       const std::optional<RunFile>& earlier) {
  options["calibration"] = nullptr;
  if (calibration != nullptr) options["calibration"] = calibration->file.sha256;
  options.erase("calibration_before");
  if (!earlier) return;
  nlohmann::json before = earlier->options.value("calibration_before", nlohmann::json::array());
  const nlohmann::json last = earlier->options.value("calibration", nlohmann::json());
  if (last.is_string()) before.push_back(last);
  before.erase(std::remove(before.begin(), before.end(), options["calibration"]), before.end());
  if (!before.empty()) options["calibration_before"] = before;
}

void require_replaceable_calibration(const AppliedCalibration* calibration, const fs::path& from,
                                     const fs::path& folder) {
  require_own_copy(folder, bytes_of(calibration, from));
}

void keep_calibration(const AppliedCalibration* calibration, const fs::path& from,
                      const fs::path& folder) {
  const fs::path path = calibration_path(folder);
  const std::string bytes = bytes_of(calibration, from);
  require_own_copy(folder, bytes);
  if (calibration != nullptr) {
    if (!fs::exists(path) || read_file(path) != bytes) write_file_atomically(path, bytes);
    return;
  }
  remove_file(path);
}

}  // namespace mcvol
