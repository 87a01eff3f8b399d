#include "mcvol/pipeline/interrupt.h"

#include <atomic>

#include <signal.h>
#include <unistd.h>

namespace mcvol {

namespace {

/// Schedulers and users expect the process gone ten seconds after the signal.
constexpr unsigned kGrace_s = 9;
constexpr int kSignalExitBase = 128;

std::atomic<int> requested_signal{0};
static_assert(std::atomic<int>::is_always_lock_free, "used in a signal handler");

extern "C" void on_stop_signal(int signal_number) {
  const int before = requested_signal.exchange(signal_number);
  if (before != 0) _exit(kSignalExitBase + signal_number);
  alarm(kGrace_s);
}

extern "C" void on_alarm(int) { _exit(kSignalExitBase + requested_signal.load()); }

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
  handle(SIGINT, on_stop_signal);
  handle(SIGTERM, on_stop_signal);
  handle(SIGHUP, on_stop_signal);  // the terminal is gone: stop as tidily
  handle(SIGALRM, on_alarm);
  handle(SIGPIPE, SIG_IGN);
}

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
