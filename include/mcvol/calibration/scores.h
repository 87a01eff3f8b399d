#pragma once

#include "mcvol/calibration/conformal.h"
#include "mcvol/calibration/nominal_coverage.h"

namespace mcvol {

/// Width plus 2 / (1 - level) times what the truth lies outside (Winkler 1972; Gneiting, Raftery
/// 2007): smaller is better, in the unit of the bounds.
double interval_score(double lower, double upper, double truth, const NominalCoverage& level);

/// Whether the interval holds the volume; one up to `least_ml` counts as absent, which any interval
/// from 0 on holds.
bool covers(const PredictionInterval& interval, double volume_ml, double least_ml);

/// Upper less lower bound as V^(1/3), in ml^(1/3).
double root_width(const PredictionInterval& interval);

}  // namespace mcvol
