#pragma once

#include <functional>
#include <string>
#include <vector>

namespace mcvol::testing {

struct ProcessResult {
  int exit_code = -1;  ///< -signal where a signal ended it
  std::string out;     ///< stdout
  std::string err;     ///< stderr
};

/// Runs `mcvol` with these arguments to its end.
ProcessResult run_mcvol(const std::vector<std::string>& arguments);

/// Runs another program to its end.
ProcessResult run_program(const std::string& program, const std::vector<std::string>& arguments);

/// Runs `mcvol` and sends `signal_number` once stderr holds `until`; waits for its end.
ProcessResult signal_mcvol(const std::vector<std::string>& arguments, int signal_number,
                           const std::string& until);

/// Runs `mcvol` with a stdout that nobody reads any more.
ProcessResult run_mcvol_without_reader(const std::vector<std::string>& arguments);

}  // namespace mcvol::testing
