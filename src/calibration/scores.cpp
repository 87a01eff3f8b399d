#include "mcvol/calibration/scores.h"

#include <algorithm>
#include <cmath>

namespace mcvol {

double interval_score(double lower, double upper, double truth, const NominalCoverage& level) {
  const auto missed = static_cast<double>(level.denominator - level.numerator);
  const double price = 2 * static_cast<double>(level.denominator) / missed;
  return upper - lower + price * (std::max(lower - truth, 0.0) + std::max(truth - upper, 0.0));
}

bool covers(const PredictionInterval& interval, double volume_ml, double least_ml) {
  if (volume_ml <= least_ml) return interval.lower_ml <= 0;
  return interval.lower_ml <= volume_ml && volume_ml <= interval.upper_ml;
}

double root_width(const PredictionInterval& interval) {
  return std::cbrt(interval.upper_ml) - std::cbrt(interval.lower_ml);
}

}  // namespace mcvol
