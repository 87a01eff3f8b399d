#include "calibration_words.h"

#include <algorithm>
#include <vector>

#include "html.h"

namespace mcvol {

std::string references_of(const CalibrationFile& calibration) {
  std::vector<std::pair<std::int64_t, std::string>> counts;
  for (const RegionCalibration& region : calibration.regions) {
    std::int64_t n = 0;
    for (const RegionCalibration::Stratum& stratum : region.strata) n += stratum.n();
    counts.emplace_back(n, region.region);
  }
  const auto [least, most] = std::minmax_element(
      counts.begin(), counts.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  if (least->first == most->first) return std::to_string(most->first);
  return std::to_string(least->first) + " (" + spaced(least->second) + ") to " +
         std::to_string(most->first) + " (" + spaced(most->second) + ")";
}

std::string promise_of(const CalibrationFile& calibration, const NominalCoverage& level) {
  std::vector<double> promises;
  for (const RegionCalibration& region : calibration.regions) {
    for (const RegionCalibration::Stratum& stratum : region.strata) {
      if (const auto promised = promised_coverage(calibration.method, stratum.n(), level)) {
        promises.push_back(*promised);
      }
    }
  }
  if (promises.empty()) return percent_of(level.value);
  const auto [least, most] = std::minmax_element(promises.begin(), promises.end());
  const std::string from = percent_of(*least);
  const std::string to = percent_of(*most);
  return from == to ? from : from + " to " + to;
}

}  // namespace mcvol
