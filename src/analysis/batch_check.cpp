#include "mcvol/analysis/batch_check.h"

#include "mcvol/analysis/scan_findings.h"
#include "mcvol/files/text.h"

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
  if (difference.scatter)
    return difference.number + (more ? " scattered further" : " less scattered");
  return difference.number + (more ? " larger" : " smaller");
}

}  // namespace

std::string BatchCheck::words() const {
  const std::string both = std::to_string(scans) + " scans and the " +
                           std::to_string(calibration_scans) + " of the calibration";
  const std::string p_value = " (p = " + text_of(comparison.p_value) + ")";
  if (!differs()) return "no difference between the " + both + " was found" + p_value;
  std::vector<std::string> differences;
  for (const auto& difference : comparison.differences) {
    differences.push_back(words_of(difference));
  }
  return "the " + both + " differ" + p_value + ": " + joined(differences) +
         "; the calibration promises its coverage for scans like its own";
}

nlohmann::json json_of(const BatchCheck& check) {
  nlohmann::json differences = nlohmann::json::array();
  for (const auto& difference : check.comparison.differences) {
    differences.push_back(
        {{"number", difference.number}, {"scatter", difference.scatter}, {"z", difference.z}});
  }
  return {{"scans", check.scans},
          {"calibration_scans", check.calibration_scans},
          {"p_value", check.comparison.p_value},
          {"differences", std::move(differences)}};
}

void BatchScans::put(const CaseRecord& record) {
  scans_.erase(record.case_id);
  if (!is_comparable(record, calibration_.get())) return;
  channels_.clear();
  for (const InputFile& input : record.inputs) channels_.push_back(input.channel);
  scans_[record.case_id] = *record.image_quality;
}

std::optional<BatchCheck> BatchScans::check() const {
  if (scans_.size() < 2) return std::nullopt;
  std::vector<ImageQuality> batch;
  for (const auto& [case_id, quality] : scans_) batch.push_back(quality);
  const std::vector<ImageQuality>& others = calibration_->comparison->scans();
  return BatchCheck{batch.size(), others.size(), compare_batch(others, batch, channels_)};
}

}  // namespace mcvol
