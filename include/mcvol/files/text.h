#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace mcvol {

// Texts that files, messages and pages are made of.

inline constexpr int kMlDecimals = 3;
inline constexpr int kShareDecimals = 3;

/// A number with so many decimals, a point whatever the locale, no "-0.000". Empty for what is no
/// number: never NaN in a table.
std::string decimal_text(const std::optional<double>& number, int decimals);
/// The shortest text that reads back as the number.
std::string shortest_text(double number);

/// Texts, of any range, with `separator` between them.
template <typename Texts>
std::string joined(const Texts& texts, std::string_view separator = ", ") {
  std::string all;
  bool first = true;
  for (const std::string_view text : texts) {
    if (!first) all += separator;
    all += text;
    first = false;
  }
  return all;
}

/// The letters A to Z in lower case, all else as it is.
std::string lower_case(std::string_view text);

/// Without blanks (no-break spaces too), tabs and line ends around it.
std::string trimmed(const std::string& text);

/// "cases.csv, line 3": how every message names a place in a file. @param line 1-based.
std::string line_of_file(const std::string& file, int line);

}  // namespace mcvol
