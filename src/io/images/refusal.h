#pragma once

#include "mcvol/error/error.h"

#include <array>
#include <cstdio>
#include <string>

namespace mcvol {

/// One line, starting with the file's name.
[[noreturn]] inline void refuse(const std::string& name, const std::string& reason) {
  throw InputError(name + ": " + reason);
}

inline std::string short_number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6g", value);
  return text.data();
}

}  // namespace mcvol
