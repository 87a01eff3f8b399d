#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace mcvol {

/// RFC 4648, with padding. @param bytes a gigabyte at most.
std::string base64_from_bytes(std::span<const unsigned char> bytes);

/// Little-endian int64 as base64 (RFC 4648 with padding).
std::string base64_from_counts(std::span<const std::int64_t> counts);
/// @throws InputError when the text is not base64 of whole int64.
std::vector<std::int64_t> counts_from_base64(const std::string& text);

}  // namespace mcvol
