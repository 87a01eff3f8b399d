#include "cli/process.h"

#include <array>
#include <stdexcept>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mcvol::testing {

namespace {

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

Child start(const std::string& program, const std::vector<std::string>& arguments) {
  std::vector<char*> argv{const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  const auto out = make_pipe();
  const auto err = make_pipe();
  Child child;
  child.pid = fork();
  if (child.pid == 0) {
    dup2(out[1], STDOUT_FILENO);
    dup2(err[1], STDERR_FILENO);
    execv(program.c_str(), argv.data());
    _exit(127);
  }
  close(out[1]);
  close(err[1]);
  child.out = out[0];
  child.err = err[0];
  return child;
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

/// Reads both streams to their ends, calling `seen` after each piece, and waits for the process.
ProcessResult finish(Child child, const std::function<void(const ProcessResult&)>& seen) {
  ProcessResult result;
  while (child.out >= 0 || child.err >= 0) {
    std::array<pollfd, 2> streams{pollfd{child.out, POLLIN, 0}, pollfd{child.err, POLLIN, 0}};
    if (poll(streams.data(), streams.size(), -1) < 0) continue;
    if (streams[0].revents != 0) drain(child.out, result.out);
    if (streams[1].revents != 0) drain(child.err, result.err);
    seen(result);
  }
  int status = 0;
  waitpid(child.pid, &status, 0);
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  return result;
}

}  // namespace

ProcessResult run_program(const std::string& program, const std::vector<std::string>& arguments) {
  return finish(start(program, arguments), [](const ProcessResult&) {});
}

ProcessResult run_mcvol(const std::vector<std::string>& arguments) {
  return run_program(MCVOL_EXECUTABLE, arguments);
}

ProcessResult signal_mcvol(const std::vector<std::string>& arguments, int signal_number,
                           const std::string& until) {
  const Child child = start(MCVOL_EXECUTABLE, arguments);
  bool sent = false;
  return finish(child, [&](const ProcessResult& result) {
    if (sent || result.err.find(until) == std::string::npos) return;
    sent = true;
    kill(child.pid, signal_number);
  });
}

ProcessResult run_mcvol_without_reader(const std::vector<std::string>& arguments) {
  Child child = start(MCVOL_EXECUTABLE, arguments);
  close(child.out);
  child.out = -1;
  return finish(child, [](const ProcessResult&) {});
}

}  // namespace mcvol::testing
