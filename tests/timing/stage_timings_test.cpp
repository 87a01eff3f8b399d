#include "mcvol/timing/stage_timings.h"

#include <chrono>
#include <stdexcept>

#include <gtest/gtest.h>

namespace mcvol {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// @returns its seconds.
double busy() {
  const Clock::time_point begin = Clock::now();
  while (seconds_since(begin) < 1e-3) {
  }
  return seconds_since(begin);
}

TEST(ScopedTimer, AddsTheTimeOfItsLifeToWhatIsThere) {
  double sum_s = 100.0;
  const Clock::time_point begin = Clock::now();
  for (int turn = 0; turn < 2; ++turn) {
    const ScopedTimer timer(sum_s);
    busy();
  }
  const double most_s = seconds_since(begin);
  EXPECT_GE(sum_s, 100.0 + 2e-3 - 1e-9);
  EXPECT_LE(sum_s, 100.0 + most_s + 1e-9);
}

TEST(ScopedTimer, CountsWorkThatEndsByAnException) {
  double sum_s = 0.0;
  const auto fails = [] {
    busy();
    throw std::runtime_error("no");
  };
  EXPECT_THROW(timed(sum_s, fails), std::runtime_error);
  EXPECT_GE(sum_s, 1e-3 - 1e-9);
}

TEST(Timed, GivesWhatTheWorkGives) {
  double sum_s = 0.0;
  const double worked_s = timed(sum_s, busy);
  EXPECT_GE(sum_s, worked_s - 1e-9);
}

}  // namespace
}  // namespace mcvol
