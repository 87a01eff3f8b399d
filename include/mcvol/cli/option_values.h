#pragma once

#include "mcvol/error/error.h"

#include <charconv>
#include <string>

namespace mcvol {

/// Read by hand: the command-line library takes "-1" for a large unsigned number.
/// @throws UsageError naming the option.
template <typename Number>
Number whole_number_from(const std::string& option, const std::string& text, Number smallest,
                         Number largest) {
  Number number = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, number);
  if (parsed.ec != std::errc() || parsed.ptr != end || number < smallest || number > largest) {
    throw UsageError(option + ": expected a whole number from " + std::to_string(smallest) +
                     " to " + std::to_string(largest) + ", found \"" + text + "\"");
  }
  return number;
}

/// @throws UsageError naming the option.
double number_from(const std::string& option, const std::string& text, double smallest,
                   double largest);

/// --threads: as given, else what this process may use.
int threads_from(const std::string& text);

}  // namespace mcvol
