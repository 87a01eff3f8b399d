#include "mcvol/pipeline/interrupt.h"

#include "mcvol/files/text_file.h"

#include <array>
#include <cerrno>

#include "pipeline/fake_bundle.h"
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

namespace mcvol {
namespace {

class Interrupt : public ::testing::Test {
 protected:
  void SetUp() override {
    install_interrupt_handlers();
    clear_interrupt();
  }
  void TearDown() override {
    clear_interrupt();
    for (const int number : {SIGHUP, SIGINT, SIGTERM, SIGALRM, SIGPIPE}) signal(number, SIG_DFL);
  }
};
using InterruptDeathTest = Interrupt;

TEST_F(Interrupt, NothingIsAskedForAtFirst) { EXPECT_FALSE(interrupt_requested().has_value()); }

TEST_F(Interrupt, SignalsGiveTheirExitCodes) {
  raise(SIGHUP);
  EXPECT_EQ(interrupt_requested(), ExitCode::kHungUp);
  clear_interrupt();
  raise(SIGINT);
  EXPECT_EQ(interrupt_requested(), ExitCode::kInterrupted);
  clear_interrupt();
  EXPECT_FALSE(interrupt_requested().has_value());
  raise(SIGTERM);
  EXPECT_EQ(interrupt_requested(), ExitCode::kTerminated);
}

TEST_F(Interrupt, ClosedPipeIsAnErrorOfTheWrite) {
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  close(ends[0]);
  EXPECT_EQ(write(ends[1], "x", 1), -1);
  EXPECT_EQ(errno, EPIPE);
  close(ends[1]);
}

TEST_F(InterruptDeathTest, SecondSignalEndsTheProcessAtOnce) {
  const auto twice = [](int first, int second) {
    raise(first);
    raise(second);
    _exit(0);
  };
  EXPECT_EXIT(twice(SIGINT, SIGINT), ::testing::ExitedWithCode(130), "");
  EXPECT_EXIT(twice(SIGINT, SIGTERM), ::testing::ExitedWithCode(143), "");
  EXPECT_EXIT(twice(SIGHUP, SIGHUP), ::testing::ExitedWithCode(129), "");
}

TEST_F(InterruptDeathTest, SignalsIgnoredFromTheStartStayIgnored) {
  const auto ignoring = [] {
    for (const int number : {SIGHUP, SIGINT, SIGTERM}) signal(number, SIG_IGN);
    install_interrupt_handlers();
    for (const int number : {SIGHUP, SIGINT, SIGTERM, SIGINT}) raise(number);
    _exit(interrupt_requested() ? 1 : 7);
  };
  EXPECT_EXIT(ignoring(), ::testing::ExitedWithCode(7), "");
}

TEST_F(InterruptDeathTest, SecondSignalAndAlarmLeaveTheLastWords) {
  const std::filesystem::path folder = testing::fresh_folder("last_words");
  const auto end_with = [&](int second, bool cleared) {
    write_file_atomically(folder / "state", "running");
    write_file_atomically(folder / "prepared", "interrupted");
    set_last_words(folder / "prepared", folder / "state");
    if (cleared) clear_last_words();
    raise(SIGINT);
    raise(second);
  };
  EXPECT_EXIT(end_with(SIGINT, false), ::testing::ExitedWithCode(130), "");
  EXPECT_EQ(read_file(folder / "state"), "interrupted");
  EXPECT_EXIT(end_with(SIGALRM, false), ::testing::ExitedWithCode(130), "");
  EXPECT_EQ(read_file(folder / "state"), "interrupted");
  EXPECT_EXIT(end_with(SIGINT, true), ::testing::ExitedWithCode(130), "");
  EXPECT_EQ(read_file(folder / "state"), "running");
}

TEST_F(InterruptDeathTest, AlarmEndsAProcessThatCannotStop) {
  const auto stuck = [] {
    raise(SIGTERM);
    raise(SIGALRM);
    _exit(0);
  };
  EXPECT_EXIT(stuck(), ::testing::ExitedWithCode(143), "");
}

}  // namespace
}  // namespace mcvol
