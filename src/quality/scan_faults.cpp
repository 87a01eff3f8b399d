#include "scan_faults.h"

#include <cmath>
#include <tuple>

namespace mcvol {

double share_from_first(const Eigen::VectorXd& numbers) {
  const double least = numbers[0] - 1e-12 * std::abs(numbers[0]);  // equal but for rounding
  return static_cast<double>((numbers.array() >= least).count()) /
         static_cast<double>(numbers.size());
}

void ScanFaults::add(const std::vector<ImageQuality>& scans, std::size_t first, std::size_t second,
                     Change change) {
  std::vector<ImageQuality> changed;
  for (const ImageQuality& scan : scans) changed.push_back(change(scan));
  discriminants_.emplace_back(number_rows(scans, numbers_), number_rows(changed, numbers_));
  changes_.push_back(std::move(change));
  places_.emplace_back(first, second);
}

ScanFault ScanFaults::of(const ImageQuality& scan) const {
  ScanFault fault;
  const NumberRow as_is = numbers_(scan);
  Eigen::VectorXd most;
  for (std::size_t n = 0; n < changes_.size(); ++n) {
    const Eigen::VectorXd odds = discriminants_[n].log_odds(as_is, numbers_(changes_[n](scan)));
    if (n == 0 || odds[0] > fault.log_odds) {
      fault.log_odds = odds[0];
      std::tie(fault.first, fault.second) = places_[n];
    }
    most = n == 0 ? odds : Eigen::VectorXd(most.cwiseMax(odds));
  }
  fault.p_value = share_from_first(most);
  return fault;
}

}  // namespace mcvol
