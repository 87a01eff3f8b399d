#pragma once

#include "mcvol/cli/command_options.h"
#include "mcvol/error/error.h"

#include <memory>
#include <vector>

namespace mcvol {

/// One command of mcvol.
class Command {
 public:
  virtual ~Command() = default;
  /// Declares the command and its options; opens nothing.
  virtual void setup(CLI::App& program) = 0;
  /// Whether the command line asked for this command.
  bool chosen() const { return command_.chosen(); }
  /// Does the work, with the options as parsed. @throws Error with the exit code to leave with.
  virtual ExitCode run() = 0;

 protected:
  CommandOptions command_;
};

/// Every command of mcvol, in the order of its help; none is set up yet.
std::vector<std::unique_ptr<Command>> all_commands();

}  // namespace mcvol
