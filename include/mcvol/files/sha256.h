#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace mcvol {

/// SHA-256 as 64 lower-case hexadecimal digits.
std::string sha256_of_bytes(std::string_view bytes);
/// @throws Error when the file cannot be read.
std::string sha256_of_file(const std::filesystem::path& path);

}  // namespace mcvol
