#pragma once

#include "mcvol/io/records/calibration_file.h"

#include <string>

namespace mcvol {

/// How many cases a calibration was made on: "300", or "298 (whole tumour) to 300 (tumour core)"
/// where regions have references of their own.
std::string references_of(const CalibrationFile& calibration);

/// What it promises at a level, in percent: "90.0", or from the least to the most over regions and
/// strata, "90.0 to 90.8".
std::string promise_of(const CalibrationFile& calibration, const NominalCoverage& level);

}  // namespace mcvol
