#pragma once

#include "mcvol/error/error.h"

#include <filesystem>
#include <optional>

namespace mcvol {

/// From now on SIGINT, SIGTERM and SIGHUP ask the run to stop instead of ending the process: the
/// first one lets it keep what is finished, the second ends the process at once, and so does the
/// kernel's alarm where stopping takes more than nine seconds. A signal that the process was
/// started to ignore, as by nohup or in a script's background, stays ignored. SIGPIPE is ignored:
/// writing to a closed stdout fails as an error that can be handled.
void install_interrupt_handlers();

/// What the second signal and the alarm do before the process ends: put `prepared`, a file that
/// stands ready, in the place of `target` in the same folder. In place of what was set before.
void set_last_words(const std::filesystem::path& prepared, const std::filesystem::path& target);
/// From now on they do nothing.
void clear_last_words() noexcept;

/// The exit code of the signal that asked to stop (129 for SIGHUP, 130 for SIGINT, 143 for
/// SIGTERM); none while nothing did.
std::optional<ExitCode> interrupt_requested() noexcept;

/// Forgets an interrupt that was asked for.
void clear_interrupt() noexcept;

}  // namespace mcvol
