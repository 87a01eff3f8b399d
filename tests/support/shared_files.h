#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>

namespace mcvol::testing {

/// Folder named by an environment variable, or `fallback`; none where it is not there. Tests that
/// need it skip, saying so.
inline std::optional<std::filesystem::path> folder_from(const char* variable,
                                                        const std::filesystem::path& fallback) {
  const char* value = std::getenv(variable);
  const std::filesystem::path folder = value != nullptr ? std::filesystem::path(value) : fallback;
  if (folder.empty() || !std::filesystem::is_directory(folder)) return std::nullopt;
  return folder;
}

/// Real data that is not part of the project: MCVOL_SHARED, else shared/ beside the checkout.
inline std::optional<std::filesystem::path> shared_folder() {
  return folder_from("MCVOL_SHARED", MCVOL_DEFAULT_SHARED);
}

}  // namespace mcvol::testing
