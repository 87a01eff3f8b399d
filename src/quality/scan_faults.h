#pragma once

#include "mcvol/quality/scan_comparison.h"

#include <functional>
#include <utility>
#include <vector>

#include "discriminant.h"
#include "scan_numbers.h"

namespace mcvol {

/// The share of all that are at least as large as the first, itself among them.
double share_from_first(const Eigen::VectorXd& numbers);

/// Faults of one kind, of which a scan has one at most.
class ScanFaults {
 public:
  using Change = std::function<ImageQuality(const ImageQuality&)>;

  /// @param numbers that tell the faults.
  explicit ScanFaults(Numbers numbers) : numbers_(numbers) {}

  /// @param scans as they should be, the same each time. @param change what the fault makes of one.
  void add(const std::vector<ImageQuality>& scans, std::size_t first, std::size_t second,
           Change change);

  /// The likeliest. The p-value is of the log odds of each scan's own likeliest.
  ScanFault of(const ImageQuality& scan) const;

 private:
  Numbers numbers_;
  std::vector<Discriminant> discriminants_;
  std::vector<Change> changes_;
  std::vector<std::pair<std::size_t, std::size_t>> places_;
};

}  // namespace mcvol
