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
  constexpr const char* kBlanks = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string line_of_file(const std::string& file, int line) {
  return file + ", line " + std::to_string(line);
}

}  // namespace mcvol
