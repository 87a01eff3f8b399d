#pragma once

#include <ctime>
#include <string>

namespace mcvol {

/// Now, as run files and locks have it: "2026-01-31T12:00:00Z" (ISO 8601).
inline std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[sizeof("2000-01-01T00:00:00Z")];
  std::strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

}  // namespace mcvol
