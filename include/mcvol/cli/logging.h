#pragma once

#include <functional>

namespace mcvol {

enum class Verbosity {
  kQuiet,    ///< errors only
  kNormal,   ///< a line per finished scan, warnings, errors
  kVerbose,  ///< what was decided and how long it took as well, with the time of day
};

/// Sends spdlog to stderr: "level: message". stdout is for data.
void set_up_logging(Verbosity verbosity);

/// `before_line` is called before each line that is logged, e.g. to wipe a progress line; an empty
/// function ends that.
void set_before_log_line(std::function<void()> before_line);

}  // namespace mcvol
