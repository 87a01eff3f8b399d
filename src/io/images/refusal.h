#pragma once

#include "mcvol/error/error.h"
#include "mcvol/files/stand_in.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>

namespace mcvol {

/// One line, starting with the file's name.
[[noreturn]] inline void refuse(const std::string& name, const std::string& reason) {
  throw InputError(name + ": " + reason);
}

/// Of a path that leads to no file, or to what stands in the place of one. Opening a named pipe
/// would wait for ever.
/// @param expected "a NIfTI file".
inline void require_own_content(const std::filesystem::path& path, const std::string& expected) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  const std::string name = path.filename().string();
  if (!std::filesystem::exists(status)) refuse(name, "no such file");
  if (std::filesystem::is_directory(status)) refuse(name, "a folder, expected " + expected);
  if (!std::filesystem::is_regular_file(status)) {
    refuse(name, "not a regular file, expected " + expected);
  }
  if (const std::string stand_in = stand_in_of_file(path); !stand_in.empty()) {
    refuse(name, stand_in);
  }
}

inline std::string short_number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.6g", value);
  return text.data();
}

}  // namespace mcvol
