#include "cli/process.h"

#include <array>
#include <iterator>
#include <mutex>
#include <stdexcept>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mcvol::testing {

namespace {

constexpr char kFilling = '\0';

struct Child {
  pid_t pid = -1;
  int out = -1;
  int err = -1;
};

std::array<int, 2> make_pipe() {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  return ends;
}

/// @param out a pipe for its stdout; the reading end, which the result has, may be -1: nobody
/// reads.
Child start(const std::string& program, const std::vector<std::string>& arguments,
            const std::array<int, 2>& out) {
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const auto err = make_pipe();
  Child child;
  // ITK ends its threads before a fork and makes them anew after it, for one fork at a time.
  static std::mutex one_fork;
  std::unique_lock lock(one_fork);
  child.pid = fork();
  if (child.pid == 0) {
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    execv(program.c_str(), argv.data());
    _exit(127);
  }
  lock.unlock();
  close(out[1]);
  close(err[1]);
  child.out = out[0];
  child.err = err[0];
  return child;
}

/// A pipe of one page, filled up to `room` bytes.
std::array<int, 2> make_pipe_with(std::size_t room) {
  const auto ends = make_pipe();
  const int capacity = fcntl(ends[1], F_SETPIPE_SZ, 1);  // Rounded up to a page.
  if (capacity <= 0 || room >= static_cast<std::size_t>(capacity)) {
    throw std::runtime_error("no pipe with so little room");
  }
  const std::string filling(static_cast<std::size_t>(capacity) - room, kFilling);
  if (write(ends[1], filling.data(), filling.size()) != std::ssize(filling)) {
    throw std::runtime_error("a pipe that cannot be filled");
  }
  return ends;
}

/// Appends what can be read; closes and forgets the descriptor at its end.
void drain(int& descriptor, std::string& text) {
  std::array<char, 4096> buffer;
  const ssize_t count = read(descriptor, buffer.data(), buffer.size());
  if (count > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(count));
    return;
  }
  close(descriptor);
  descriptor = -1;
}

void drain_ready(Child& child, ProcessResult& result) {
  std::array<pollfd, 2> streams{pollfd{child.out, POLLIN, 0}, pollfd{child.err, POLLIN, 0}};
  if (poll(streams.data(), streams.size(), -1) < 0) return;
  if (streams[0].revents != 0) drain(child.out, result.out);
  if (streams[1].revents != 0) drain(child.err, result.err);
}

/// Reads both streams to their ends and waits for the process.
ProcessResult finish(Child child, ProcessResult result = {}) {
  while (child.out >= 0 || child.err >= 0) drain_ready(child, result);
  int status = 0;
  waitpid(child.pid, &status, 0);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return result;
}

}  // namespace

ProcessResult run_program(const std::string& program, const std::vector<std::string>& arguments) {
  return finish(start(program, arguments, make_pipe()));
}

ProcessResult run_mcvol(const std::vector<std::string>& arguments) {
  return run_program(MCVOL_EXECUTABLE, arguments);
}

ProcessResult signal_held_mcvol(const std::vector<std::string>& arguments, int signal_number,
                                const std::string& until, std::size_t room) {
  Child child = start(MCVOL_EXECUTABLE, arguments, make_pipe_with(room));
  const int out = std::exchange(child.out, -1);  // Not read: that would make room.
  ProcessResult result;
  while (child.err >= 0 && result.err.find(until) == std::string::npos) drain_ready(child, result);
  // Before anything is read: the signal is there when the write goes on.
  kill(child.pid, signal_number);
  child.out = out;
  result = finish(child, std::move(result));
  result.out.erase(0, result.out.find_first_not_of(kFilling));
  return result;
}

std::size_t bytes_before(const std::string& case_id, const std::string& table) {
  const std::size_t newline = table.find("\n" + case_id + ",");
  if (newline == std::string::npos) throw std::runtime_error("no rows of " + case_id);
  return newline + 1;
}

ProcessResult run_mcvol_without_reader(const std::vector<std::string>& arguments) {
  auto out = make_pipe();
  close(std::exchange(out[0], -1));
  return finish(start(MCVOL_EXECUTABLE, arguments, out));
}

}  // namespace mcvol::testing
