#include "mcvol/pipeline/interrupt.h"

#include "mcvol/error/error.h"

#include <array>
#include <atomic>
#include <climits>
#include <cstdio>
#include <cstring>

#include <signal.h>
#include <unistd.h>

namespace mcvol {

namespace {

/// Schedulers and users expect the process gone ten seconds after the signal.
constexpr unsigned kGrace_s = 9;
constexpr int kSignalExitBase = 128;

std::atomic<int> requested_signal{0};
static_assert(std::atomic<int>::is_always_lock_free, "used in a signal handler");

/// Paths where a signal handler can read them.
struct LastWords {
  std::array<char, PATH_MAX> prepared, target;
};
LastWords last_words;
std::atomic<bool> has_last_words{false};

/// Only what a signal handler may call (POSIX.1, 2.4.3): rename() and _exit().
[[noreturn]] void end_now(int signal_number) {
  if (has_last_words.load()) std::rename(last_words.prepared.data(), last_words.target.data());
  _exit(kSignalExitBase + signal_number);
}

extern "C" void on_stop_signal(int signal_number) {
  const int before = requested_signal.exchange(signal_number);
  if (before != 0) end_now(signal_number);
  alarm(kGrace_s);
}

extern "C" void on_alarm(int) { end_now(requested_signal.load()); }

bool is_ignored(int signal_number) {
  struct sigaction action {};
  return sigaction(signal_number, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

void handle(int signal_number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  // Reads and writes under way carry on: a record half written would be thrown away.
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(signal_number, &action, nullptr);
}

}  // namespace

void install_interrupt_handlers() {
  // SIGHUP means that the terminal is gone: stop as tidily.
  for (const int signal_number : {SIGINT, SIGTERM, SIGHUP}) {
    if (!is_ignored(signal_number)) handle(signal_number, on_stop_signal);
  }
  handle(SIGALRM, on_alarm);
  handle(SIGPIPE, SIG_IGN);
}

void set_last_words(const std::filesystem::path& prepared, const std::filesystem::path& target) {
  clear_last_words();
  const std::string from = prepared.string(), to = target.string();
  if (from.size() >= PATH_MAX || to.size() >= PATH_MAX) return;  // No file has such a path.
  std::memcpy(last_words.prepared.data(), from.c_str(), from.size() + 1);
  std::memcpy(last_words.target.data(), to.c_str(), to.size() + 1);
  has_last_words.store(true);
}

void clear_last_words() noexcept { has_last_words.store(false); }

std::optional<ExitCode> interrupt_requested() noexcept {
  switch (requested_signal.load()) {
    case 0:
      return std::nullopt;
    case SIGTERM:
      return ExitCode::kTerminated;
    case SIGHUP:
      return ExitCode::kHungUp;
    default:
      return ExitCode::kInterrupted;
  }
}

void clear_interrupt() noexcept {
  alarm(0);
  requested_signal.store(0);
}

}  // namespace mcvol
