#include "mcvol/analysis/batch_check.h"

#include "mcvol/analysis/volume_table.h"
#include "mcvol/files/text.h"
#include "mcvol/io/records/calibration_file.h"

#include <array>
#include <charconv>

namespace mcvol {

namespace {

/// Four decimals; the permutations give no more.
std::string text_of(double p_value) {
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), p_value,
                                 std::chars_format::fixed, 4);
  return {buffer.data(), end.ptr};
}

std::string words_of(const BatchComparison::Difference& difference) {
  const bool more = difference.z > 0;
  if (difference.spread)
    return difference.number + (more ? " scattered further" : " less scattered");
  return difference.number + (more ? " larger" : " smaller");
}

}  // namespace

std::string BatchCheck::words() const {
  const std::string who = "the " + std::to_string(scans) + " scans ";
  const std::string whom = " the " + std::to_string(calibration_scans) +
                           " of the calibration (p = " + text_of(comparison.p_value) + ")";
  if (!differs()) return who + "are of one kind with" + whom;
  std::vector<std::string> differences;
  for (const auto& difference : comparison.differences) {
    differences.push_back(words_of(difference));
  }
  return who + "differ from" + whom + ": " + joined(differences);
}

nlohmann::json json_of(const BatchCheck& check) {
  nlohmann::json differences = nlohmann::json::array();
  for (const auto& difference : check.comparison.differences) {
    differences.push_back(
        {{"number", difference.number}, {"spread", difference.spread}, {"z", difference.z}});
  }
  return {{"scans", check.scans},
          {"calibration_scans", check.calibration_scans},
          {"p_value", check.comparison.p_value},
          {"differences", std::move(differences)}};
}

BatchCheck batch_check_from(const nlohmann::json& json) {
  BatchCheck check;
  check.scans = json.at("scans").get<std::size_t>();
  check.calibration_scans = json.at("calibration_scans").get<std::size_t>();
  check.comparison.p_value = json.at("p_value").get<double>();
  for (const nlohmann::json& difference : json.at("differences")) {
    check.comparison.differences.push_back({difference.at("number").get<std::string>(),
                                            difference.at("spread").get<bool>(),
                                            difference.at("z").get<double>()});
  }
  return check;
}

void BatchScans::put(const CaseRecord& record, const AppliedCalibration* calibration) {
  scans_.erase(record.case_id);
  if (calibration == nullptr || !calibration->scans || !record.image_quality ||
      record.run_identity != calibration->run_identity ||
      calibration->file.scans.contains(scan_sha256(record))) {
    return;
  }
  channels_.clear();
  for (const InputFile& input : record.inputs) channels_.push_back(input.channel);
  scans_[record.case_id] = *record.image_quality;
}

std::optional<BatchCheck> BatchScans::check(const AppliedCalibration* calibration) const {
  if (scans_.size() < 2 || calibration == nullptr) return std::nullopt;
  std::vector<ImageQuality> batch;
  for (const auto& [case_id, quality] : scans_) batch.push_back(quality);
  const std::vector<ImageQuality>& others = calibration->scans->scans();
  return BatchCheck{batch.size(), others.size(), compare_batch(others, batch, channels_)};
}

}  // namespace mcvol
