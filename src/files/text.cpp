#include "mcvol/files/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace mcvol {

std::string decimal_text(const std::optional<double>& number, int decimals) {
  if (!number || !std::isfinite(*number)) return "";
  std::array<char, 400> buffer{};  // 309 digits of the largest double, and the decimals
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), *number,
                                 std::chars_format::fixed, decimals);
  const std::string text(buffer.data(), end.ptr);
  const bool zero = text.find_first_not_of("-0.") == std::string::npos;
  return zero && text.front() == '-' ? text.substr(1) : text;
}

std::string shortest_text(double number) {
  std::array<char, 64> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number);
  return {buffer.data(), end.ptr};
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

std::string trimmed(const std::string& text) {
  // A no-break space, which copying from pages and documents leaves behind, is two bytes.
  static constexpr std::array<std::string_view, 5> kBlanks{" ", "\t", "\r", "\n", "\xc2\xa0"};
  std::string_view left = text;
  const auto strip = [&](auto has_blank, auto remove) {
    for (bool found = true; found;) {
      found = false;
      for (const std::string_view blank : kBlanks) {
        if (!has_blank(blank)) continue;
        remove(blank.size());
        found = true;
      }
    }
  };
  strip([&](std::string_view blank) { return left.starts_with(blank); },
        [&](std::size_t size) { left.remove_prefix(size); });
  strip([&](std::string_view blank) { return left.ends_with(blank); },
        [&](std::size_t size) { left.remove_suffix(size); });
  return std::string(left);
}

std::string line_of_file(const std::string& file, int line) {
  return file + ", line " + std::to_string(line);
}

}  // namespace mcvol
