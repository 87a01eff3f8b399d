#pragma once

#include <cstdint>
#include <string>

namespace mcvol {

/// Bytes of a size as a user writes it: a positive number and an optional unit K, M, G or T
/// (powers of 1024; "KiB" and "KB" mean the same, any case), e.g. "2G", "1.5GiB", "800M".
/// @throws UsageError naming the option, what is allowed and what was found.
std::int64_t memory_bytes_from(const std::string& text);

}  // namespace mcvol
