#pragma once

#include <cstddef>
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

/// Runs `mcvol` with a stdout that takes `room` bytes (at most a page of memory) and then no more
/// before the signal, which is sent once stderr holds `until`; waits for its end.
///
/// What --print writes of a case, it writes once the case's record is: a run whose stdout has room
/// for the rows of some cases is held exactly after the next one's record, however fast it is.
ProcessResult signal_held_mcvol(const std::vector<std::string>& arguments, int signal_number,
                                const std::string& until, std::size_t room);

/// Bytes of a table before the rows of `case_id`: the room that holds `predict --print csv` there.
std::size_t bytes_before(const std::string& case_id, const std::string& table);

/// Runs `mcvol` with a stdout that nobody reads any more.
ProcessResult run_mcvol_without_reader(const std::vector<std::string>& arguments);

}  // namespace mcvol::testing
