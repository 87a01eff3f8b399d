#pragma once

#include "mcvol/calibration/dice_fit.h"
#include "mcvol/calibration/regression_fit.h"
#include "mcvol/files/json_fields.h"

#include <cstdint>

#include <nlohmann/json.hpp>

namespace mcvol {

// Scans that a regression keeps, in calibration.json: the names of their features once, then of
// each scan its response and the features in that order.

nlohmann::ordered_json json_of(const RegressionFit& fit);
nlohmann::ordered_json json_of(const DiceFit& fit);

/// @param n how many scans are expected.
RegressionFit regression_from(JsonFields fields, std::int64_t n, const JsonFail& fail);
/// Passes over what the caller has read of the fields.
DiceFit dice_from(JsonFields fields, const JsonFail& fail);

}  // namespace mcvol
