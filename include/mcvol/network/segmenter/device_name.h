#pragma once

#include <optional>
#include <string>

namespace mcvol {

/// The GPU that a device's name asks for: 0 of "auto" and "cuda", N of "cuda:N"; none of "cpu".
/// @throws UsageError for other names.
std::optional<int> gpu_named(const std::string& device);

}  // namespace mcvol
