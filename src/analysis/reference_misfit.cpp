#include "reference_misfit.h"

#include "mcvol/calibration/sample_quantile.h"

#include <algorithm>
#include <cmath>

namespace mcvol {
namespace {

/// What counts as nothing beside it, in ml: keeps ratios of small volumes near 1.
constexpr double kSmall_ml = 0.1;

}  // namespace

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return sample_quantile(values, 0.5);
}

const ReferencedRegion* region_of(const ReferencedCase& one, const std::string& name) {
  const auto found = std::find_if(one.regions.begin(), one.regions.end(),
                                  [&](const auto& region) { return region.region == name; });
  return found == one.regions.end() ? nullptr : &*found;
}

Misfit misfit_of(const std::vector<ReferencePair>& pairs) {
  std::vector<double> logs, sizes;
  for (const ReferencePair& pair : pairs) {
    logs.push_back(std::log((pair.reference_ml + kSmall_ml) / (pair.raw_ml + kSmall_ml)));
    sizes.push_back(std::abs(logs.back()));
  }
  return {std::abs(median_of(logs)), median_of(sizes)};
}

std::vector<ReferencePair> pairs_of(const ReferencedResults& results, const std::string& reference,
                                    const std::string& raw) {
  std::vector<ReferencePair> pairs;
  for (const ReferencedCase& one : results.cases) {
    const ReferencedRegion* first = region_of(one, reference);
    const ReferencedRegion* second = region_of(one, raw);
    if (first != nullptr && second != nullptr) pairs.push_back({first->volume_ml, second->raw_ml});
  }
  return pairs;
}

std::optional<double> ratio_of(const std::vector<ReferencePair>& pairs) {
  std::vector<double> ratios;
  for (const ReferencePair& pair : pairs) {
    if (pair.reference_ml > 0 && pair.raw_ml > 0) ratios.push_back(pair.reference_ml / pair.raw_ml);
  }
  if (ratios.empty()) return std::nullopt;
  return median_of(ratios);
}

}  // namespace mcvol
