#pragma once

namespace mcvol {

/// Parses the command line, runs the command and reports its errors, one line each, on stderr.
/// Never throws. Returns the process's exit code (docs/exit_codes.md).
int run_command_line(int argc, const char* const* argv);

}  // namespace mcvol
