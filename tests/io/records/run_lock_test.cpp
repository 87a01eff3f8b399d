#include "mcvol/io/records/run_lock.h"

#include <array>
#include <csignal>
#include <memory>

#include "io/records/result_fixtures.h"
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mcvol {
namespace {

using namespace testing_support;

std::string message_of_second(const std::filesystem::path& folder) {
  return message_from<FolderLockedError>([&] { const RunLock second(folder); });
}

/// Another process that holds a folder until it is killed.
class HoldingProcess {
 public:
  explicit HoldingProcess(const std::filesystem::path& folder) {
    std::array<int, 2> ready{};
    if (::pipe(ready.data()) != 0) throw Error("no pipe");
    pid_ = ::fork();
    if (pid_ == 0) hold(folder, ready[1]);
    ::close(ready[1]);
    char byte = 0;
    held_ = ::read(ready[0], &byte, 1) == 1;
    ::close(ready[0]);
  }
  ~HoldingProcess() { kill(); }
  HoldingProcess(const HoldingProcess&) = delete;
  HoldingProcess& operator=(const HoldingProcess&) = delete;

  bool held() const { return held_; }
  pid_t pid() const { return pid_; }
  void kill() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

 private:
  [[noreturn]] static void hold(const std::filesystem::path& folder, int ready) {
    try {
      const RunLock lock(folder);
      if (::write(ready, "x", 1) == 1) ::pause();
    } catch (const Error&) {
    }
    ::_exit(1);
  }

  pid_t pid_ = -1;
  bool held_ = false;
};

TEST(RunLock, SecondRunLearnsWhoHoldsTheFolder) {
  const TemporaryFolder temporary;
  const auto folder = temporary.path() / "out";
  const HoldingProcess other(folder);
  ASSERT_TRUE(other.held());
  const std::string message = message_of_second(folder);
  expect_part(message,
              folder.string() + ": held by mcvol process " + std::to_string(other.pid()) + " on ");
  expect_part(message, " since 2");
  expect_part(message, "Z; wait for it or use another --out");
  EXPECT_EQ(message_from<FolderLockedError>([&] { RunLock::require_free(folder); }), message);
}

TEST(RunLock, AHolderWhoseNumberIsNoneIsAnotherProcess) {
  const TemporaryFolder temporary;
  const RunLock held(temporary.path());
  write_text(temporary.path() / ".lock", R"({"pid": 1e300, "host": "h", "since": "2026"})");
  expect_part(message_of_second(temporary.path()), ": held by another process; wait for it");
}

TEST(RunLock, KilledRunLeavesTheFolderFree) {
  const TemporaryFolder temporary;
  HoldingProcess other(temporary.path());
  ASSERT_TRUE(other.held());
  other.kill();
  EXPECT_NO_THROW(RunLock::require_free(temporary.path()));
  EXPECT_NO_THROW(const RunLock lock(temporary.path()));
}

TEST(RunLock, HoldsAgainstItsOwnProcessToo) {
  const TemporaryFolder temporary;
  auto first = std::make_unique<RunLock>(temporary.path());
  expect_part(message_of_second(temporary.path()), "process " + std::to_string(::getpid()));
  first.reset();
  EXPECT_EQ(message_of_second(temporary.path()), "");
}

TEST(RunLock, LookingDoesNotTakeOrMakeAnything) {
  const TemporaryFolder temporary;
  RunLock::require_free(temporary.path());
  EXPECT_FALSE(std::filesystem::exists(temporary.path() / ".lock"));
  RunLock::require_free(temporary.path() / "missing");
  EXPECT_FALSE(std::filesystem::exists(temporary.path() / "missing"));
}

TEST(RunLock, HolderWithoutANameIsAnotherProcess) {
  const TemporaryFolder temporary;
  const RunLock first(temporary.path());
  write_text(temporary.path() / ".lock", "");
  expect_part(message_of_second(temporary.path()), "held by another process; ");
}

TEST(RunLock, MakesTheFolderAndItsParents) {
  const TemporaryFolder temporary;
  const auto folder = temporary.path() / "a" / "b" / "c";
  const RunLock lock(folder);
  EXPECT_TRUE(std::filesystem::is_directory(folder));
}

TEST(RunLock, FolderThatIsAFileIsRefused) {
  const TemporaryFolder temporary;
  const auto file = temporary.path() / "out";
  write_text(file, "");
  EXPECT_EQ(message_from([&] { const RunLock lock(file); }),
            file.string() + ": is a file, expected a folder for results; use another --out");
  expect_part(message_from([&] { const RunLock lock(file / "deeper"); }),
              "folder cannot be made: Not a directory; use an --out that can be written");
}

TEST(RunLock, FolderThatCannotBeWrittenIsRefused) {
  // root may write anywhere but here.
  const std::string message = message_from([] { const RunLock lock("/proc/self"); });
  expect_part(message, "/proc/self: cannot be written: ");
  expect_part(message, "; use an --out that can be written");
  expect_part(message_from([] { const RunLock lock("/proc/self/out"); }),
              "/proc/self/out: folder cannot be made: ");
}

TEST(RunLock, ReadOnlyFolderIsRefused) {
  if (::geteuid() == 0) GTEST_SKIP() << "root writes to read-only folders";
  const TemporaryFolder temporary;
  std::filesystem::permissions(
      temporary.path(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  expect_part(message_from([&] { const RunLock lock(temporary.path()); }),
              "cannot be written: Permission denied; use an --out that can be written");
  std::filesystem::permissions(temporary.path(), std::filesystem::perms::owner_all);
}

}  // namespace
}  // namespace mcvol
