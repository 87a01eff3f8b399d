#include "mcvol/analysis/scan_findings.h"

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

std::vector<ScanFinding> findings_of(const CaseRecord& record,
                                     const AppliedCalibration* calibration) {
  if (calibration == nullptr || !calibration->scans || !record.image_quality ||
      record.run_identity != calibration->run_identity) {
    return {};
  }
  const ScanComparison& others = *calibration->scans;
  const ImageQuality& scan = *record.image_quality;
  std::vector<ScanFinding> findings;
  if (others.p_value(scan) <= kMostUnlike) {
    findings.push_back({"unlike_calibration", "unlike the scans of the calibration"});
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
