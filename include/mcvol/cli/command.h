#pragma once

#include "mcvol/error/error.h"

#include <memory>
#include <vector>

#include <CLI/CLI.hpp>

namespace mcvol {

/// One command of mcvol.
class Command {
 public:
  virtual ~Command() = default;
  /// Declares the command and its options; opens nothing.
  virtual void setup(CLI::App& program) = 0;
  /// Whether the command line asked for this command.
  virtual bool chosen() const = 0;
  /// Does the work, with the options as parsed. @throws Error with the exit code to leave with.
  virtual ExitCode run() = 0;
};

/// Every command of mcvol, in the order of its help; none is set up yet.
std::vector<std::unique_ptr<Command>> all_commands();

}  // namespace mcvol
