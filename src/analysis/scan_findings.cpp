#include "mcvol/analysis/scan_findings.h"

#include "mcvol/error/error.h"

#include <array>
#include <cmath>
#include <optional>

namespace mcvol {

namespace {

bool is_found(const ScanFault& fault) {
  return fault.p_value <= kMostFaulty && fault.log_odds >= std::log(kLeastFaultOdds);
}

std::string words_of_axes(const ScanFault& fault) {
  constexpr std::array<const char*, 3> kAxes{"x", "y", "z"};
  if (fault.first == fault.second) {
    return std::string("the ") + kAxes[fault.first] + " axis seems to run the other way";
  }
  return std::string("the axes ") + kAxes[fault.first] + " and " + kAxes[fault.second] +
         " look exchanged";
}

}  // namespace

bool is_comparable(const CaseRecord& record, const AppliedCalibration* calibration) {
  if (calibration == nullptr || !calibration->comparison || !record.image_quality ||
      record.status != CaseRecord::Status::kOk ||
      record.run_identity != calibration->run_identity ||
      calibration->file.scans.contains(scan_sha256(record))) {
    return false;
  }
  const std::size_t expected = calibration->comparison->scans().front().channels.size();
  const std::size_t found = record.image_quality->channels.size();
  if (found == expected) return true;
  throw InputError("the record of " + record.case_id + ": " + std::to_string(found) +
                   " channels, expected the " + std::to_string(expected) +
                   " of its model; measure the case again");
}

std::vector<ScanFinding> findings_of(const CaseRecord& record,
                                     const AppliedCalibration* calibration) {
  if (!is_comparable(record, calibration)) return {};
  const ScanComparison& others = *calibration->comparison;
  const ImageQuality& scan = *record.image_quality;
  std::vector<ScanFinding> findings;
  if (others.p_value(scan) <= kMostUnlike) {
    findings.push_back({"unlike_calibration", ""});
  }
  const std::optional<ScanFault> exchanged = others.exchanged_channels(scan);
  if (exchanged && is_found(*exchanged)) {
    findings.push_back({"channels_exchanged", record.inputs[exchanged->first].channel + " and " +
                                                  record.inputs[exchanged->second].channel +
                                                  " look exchanged"});
  }
  const ScanFault turned = others.wrong_orientation(scan);
  if (is_found(turned)) findings.push_back({"wrong_orientation", words_of_axes(turned)});
  return findings;
}

}  // namespace mcvol
