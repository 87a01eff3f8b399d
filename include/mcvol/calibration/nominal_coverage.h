#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace mcvol {

/// A nominal coverage, kept as the decimal the user gave: ranks are computed from it in integers,
/// for doubles lose one at n = 19, 39, 99 ….
struct NominalCoverage {
  std::string text;              ///< as given
  double value = 0;              ///< in (0, 1)
  std::int64_t numerator = 0;    ///< numerator / denominator is the decimal exactly
  std::int64_t denominator = 1;  ///< a power of 10

  static constexpr int kMostDecimals = 9;
  /// @throws UsageError unless `text` is a decimal strictly between 0 and 1 of at most
  ///   kMostDecimals decimals.
  static NominalCoverage parse(const std::string& text);
};

/// Several levels: ascending, each number once (of "0.9" and "0.90" the first).
/// @throws UsageError as NominalCoverage::parse.
std::vector<NominalCoverage> parse_levels(const std::vector<std::string>& texts);

/// Of several levels that next to 0.9, which pages show and segmentations are judged at.
const NominalCoverage& usual_level(const std::vector<NominalCoverage>& levels);

}  // namespace mcvol
