#pragma once

#include "mcvol/io/scans/scan_discovery.h"
#include "mcvol/pipeline/predict_options.h"

#include <set>
#include <string>
#include <vector>

namespace mcvol {

/// The cases that --case and --participant-label ask for.
class CasePick {
 public:
  /// @throws UsageError naming what no case is called.
  CasePick(const PredictOptions& options, const std::vector<ScanCase>& cases);

  bool takes(const ScanCase& scan) const;

 private:
  std::set<std::string> ids_, subjects_;
};

}  // namespace mcvol
