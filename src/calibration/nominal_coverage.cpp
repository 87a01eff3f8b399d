#include "mcvol/calibration/nominal_coverage.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace mcvol {

NominalCoverage NominalCoverage::parse(const std::string& text) {
  NominalCoverage level;
  level.text = text;
  // A plain decimal: from_chars alone would also take "9e-1" and "inf".
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string whole = text.substr(0, point);
  std::string decimals = point < text.size() ? text.substr(point + 1) : "";
  while (!decimals.empty() && decimals.back() == '0') decimals.pop_back();
  const bool digits = (whole + decimals).find_first_not_of("0123456789") == std::string::npos &&
                      whole.find_first_not_of('0') == std::string::npos && !decimals.empty();
  if (!digits) {
    throw UsageError("level \"" + text + "\": expected a decimal between 0 and 1, such as 0.9");
  }
  if (decimals.size() > kMostDecimals) {
    throw UsageError("level \"" + text + "\": expected at most " + std::to_string(kMostDecimals) +
                     " decimals");
  }
  std::from_chars(decimals.data(), decimals.data() + decimals.size(), level.numerator);
  for (std::size_t n = 0; n < decimals.size(); ++n) level.denominator *= 10;
  // Both are exact, so that this is the double nearest to the decimal.
  level.value = static_cast<double>(level.numerator) / static_cast<double>(level.denominator);
  return level;
}

std::vector<NominalCoverage> parse_levels(const std::vector<std::string>& texts) {
  std::vector<NominalCoverage> levels;
  for (const std::string& text : texts) levels.push_back(NominalCoverage::parse(text));
  std::stable_sort(levels.begin(), levels.end(),
                   [](const auto& a, const auto& b) { return a.value < b.value; });
  const auto last = std::unique(levels.begin(), levels.end(),
                                [](const auto& a, const auto& b) { return a.value == b.value; });
  levels.erase(last, levels.end());
  return levels;
}

const NominalCoverage& usual_level(const std::vector<NominalCoverage>& levels) {
  return *std::min_element(levels.begin(), levels.end(), [](const auto& a, const auto& b) {
    return std::abs(a.value - 0.9) < std::abs(b.value - 0.9);
  });
}

}  // namespace mcvol
