#pragma once

#include "mcvol/analysis/referenced_results.h"

#include <optional>
#include <string>
#include <vector>

namespace mcvol {

/// @param values at least one.
double median_of(std::vector<double> values);

/// Null where the case has no reference of the region.
const ReferencedRegion* region_of(const ReferencedCase& one, const std::string& name);

/// A reference volume beside a raw one that was measured, in ml.
struct ReferencePair {
  double reference_ml = 0, raw_ml = 0;
};

/// How far references lie from raw volumes: as a whole and case by case, on the scale of
/// logarithms.
struct Misfit {
  double shift = 0;   ///< |median of log ratio|
  double spread = 0;  ///< median of |log ratio|

  void operator+=(const Misfit& other) {
    shift += other.shift;
    spread += other.spread;
  }
  /// A third of the volume is what segmentations differ by; half of a misfit is no accident.
  bool far_better_than(const Misfit& other) const {
    constexpr double kNoticeable = 0.4;
    return other.shift > kNoticeable && shift < 0.5 * other.shift && spread < other.spread;
  }
};

/// @param pairs at least one.
Misfit misfit_of(const std::vector<ReferencePair>& pairs);

/// References of one region beside raw volumes of another, of cases with references of both.
std::vector<ReferencePair> pairs_of(const ReferencedResults& results, const std::string& reference,
                                    const std::string& raw);

/// Median ratio of the cases that have either volume; none where no case has both.
std::optional<double> ratio_of(const std::vector<ReferencePair>& pairs);

}  // namespace mcvol
