#include "mcvol/cli/memory_size.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

namespace mcvol {

namespace {

constexpr double kStep = 1024.0;
/// 2^53 bytes: beyond any machine, and exact as a double.
constexpr double kLargest = 9007199254740992.0;

/// 1024 to the power the unit means; 0 for an unknown unit.
double factor_of(std::string unit) {
  std::transform(unit.begin(), unit.end(), unit.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (unit.empty() || unit == "B") return 1.0;
  const std::string rest = unit.substr(1);
  if (rest != "" && rest != "B" && rest != "IB") return 0.0;
  const auto power = std::string("KMGT").find(unit[0]);
  return power == std::string::npos ? 0.0 : std::pow(kStep, static_cast<double>(power) + 1.0);
}

}  // namespace

std::int64_t memory_bytes_from(const std::string& text) {
  double number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  const double factor = parsed.ec == std::errc() ? factor_of(std::string(parsed.ptr, end)) : 0.0;
  const double bytes = number * factor;
  if (!(bytes >= 1.0 && bytes <= kLargest)) {
    throw UsageError("--memory: expected a size such as 800M or 2G, found \"" + text + "\"");
  }
  return static_cast<std::int64_t>(bytes);
}

}  // namespace mcvol
