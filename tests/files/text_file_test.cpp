#include "mcvol/files/text_file.h"

#include "mcvol/error/error.h"
#include "mcvol/files/file_descriptor.h"

#include <csignal>
#include <thread>
#include <vector>

#include "files/temporary_folder.h"
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;

std::string error_of_writing(const fs::path& path, const std::string& bytes) {
  try {
    write_file_atomically(path, bytes);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

int entries_in(const fs::path& folder) {
  int count = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(folder)) ++count;
  return count;
}

TEST(TextFile, ReadsBackTheBytesWritten) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "deep" / "er" / "file.json";
  const std::string bytes("a\0b\r\n\xff", 6);
  write_file_atomically(path, bytes);
  EXPECT_EQ(read_file(path), bytes);
  write_file_atomically(path, "");
  EXPECT_EQ(read_file(path), "");
  EXPECT_EQ(entries_in(path.parent_path()), 1) << "a temporary file was left";
}

TEST(TextFile, AFailedWriteKeepsWhatWasThereAndLeavesNoTemporaryFile) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "file.json";
  write_file_atomically(path, "before");
  // A limit on the file size stands in for a full disk.
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{4096, before.rlim_max};
  const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string error = error_of_writing(path, std::string(100000, 'x'));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, old_handler);
  EXPECT_EQ(error, path.string() + ": cannot write: File too large");
  EXPECT_EQ(read_file(path), "before");
  EXPECT_EQ(entries_in(folder.path()), 1);
}

TEST(TextFile, AFolderInThePlaceOfTheFileIsAnErrorThatLeavesNothing) {
  const TemporaryFolder folder;
  fs::create_directories(folder.path() / "taken");
  EXPECT_EQ(error_of_writing(folder.path() / "taken", "x"),
            (folder.path() / "taken").string() + ": cannot write: Is a directory");
  EXPECT_EQ(entries_in(folder.path()), 1);
}

TEST(TextFile, AFileInThePlaceOfAFolderIsNamed) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "file", "x");
  const std::string error = error_of_writing(folder.path() / "file" / "below", "x");
  EXPECT_EQ(error.find((folder.path() / "file").string() + ": cannot create folder: "), 0u)
      << error;
}

TEST(TextFile, WhatKilledWritersLeftIsRemovedAndNothingElse) {
  const TemporaryFolder folder;
  const auto left = folder.path() / ".volumes.csv.tmp-123-4";
  const std::vector<std::string> others = {"volumes.csv", ".lock", ".notes.tmp-", "a.tmp-1-2"};
  write_file_atomically(left, "half");
  for (const std::string& name : others) write_file_atomically(folder.path() / name, "whole");
  remove_left_temporary_files(folder.path());
  EXPECT_FALSE(std::filesystem::exists(left));
  for (const std::string& name : others) {
    EXPECT_TRUE(std::filesystem::exists(folder.path() / name)) << name;
  }
  remove_left_temporary_files(folder.path() / "not there");
}

TEST(TextFile, ReadersDuringRewritesSeeOneWholeVersion) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  const std::string first(50000, 'a');
  const std::string second(80000, 'b');
  write_file_atomically(path, first);
  std::thread writer([&] {
    for (int i = 0; i < 20; ++i) write_file_atomically(path, i % 2 == 0 ? second : first);
  });
  bool whole = true;
  for (int i = 0; i < 200; ++i) {
    const std::string seen = read_file(path);
    whole = whole && (seen == first || seen == second);
  }
  writer.join();
  EXPECT_TRUE(whole);
}

TEST(TextFile, WriterKilledHalfWayLeavesOnlyWhatIsRemoved) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "file.json", "before");
  const pid_t writer = ::fork();
  if (writer == 0) {
    // Killed by the kernel in the middle of the file.
    const rlimit none{0, 0};
    const rlimit small{4096, 4096};
    std::signal(SIGXFSZ, SIG_DFL);
    if (::setrlimit(RLIMIT_CORE, &none) == 0 && ::setrlimit(RLIMIT_FSIZE, &small) == 0) {
      write_file_atomically(folder.path() / "file.json", std::string(100000, 'x'));
    }
    ::_exit(0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(writer, &status, 0), writer);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_EQ(entries_in(folder.path()), 2) << "nothing was left to remove";
  remove_left_temporary_files(folder.path());
  EXPECT_EQ(entries_in(folder.path()), 1);
  EXPECT_EQ(read_file(folder.path() / "file.json"), "before");
}

TEST(TextFile, OnlyFilesOfExactlyTheTemporaryNamesAreRemoved) {
  const TemporaryFolder folder;
  const std::vector<std::string> others{".a.tmp-1-",    ".a.tmp--1",  ".a.tmp-1",  ".a.tmp-1-2-3",
                                        ".a.tmp-1-2.x", "a.tmp-1-2",  ".tmp-1-2",  ".a.tmp-x-2",
                                        ".a.tmp-1-2 ",  ".a-tmp-1-2", ".a.tmp1-2", ".lock"};
  for (const std::string& name : others) write_file_atomically(folder.path() / name, "kept");
  write_file_atomically(folder.path() / ".a.tmp-1-2.tmp-34-56", "gone");
  write_file_atomically(folder.path() / ".b.json.tmp-7-0", "gone");
  remove_left_temporary_files(folder.path());
  for (const std::string& name : others) EXPECT_TRUE(fs::exists(folder.path() / name)) << name;
  EXPECT_EQ(entries_in(folder.path()), static_cast<int>(others.size()));
}

TEST(TextFile, SymbolicLinkIsFollowed) {
  const TemporaryFolder folder;
  fs::create_directories(folder.path() / "elsewhere");
  fs::create_symlink("link_2", folder.path() / "link");
  fs::create_symlink("elsewhere/file", folder.path() / "link_2");
  for (const char* bytes : {"new", "again"}) {
    require_writable(folder.path() / "link");
    write_file_atomically(folder.path() / "link", bytes);
    EXPECT_TRUE(fs::is_symlink(folder.path() / "link"));
    EXPECT_TRUE(fs::is_symlink(folder.path() / "link_2"));
    EXPECT_EQ(read_file(folder.path() / "elsewhere" / "file"), bytes);
    EXPECT_EQ(entries_in(folder.path() / "elsewhere"), 1);
  }
  fs::create_symlink("round", folder.path() / "round");
  EXPECT_EQ(
      error_of_writing(folder.path() / "round", "x"),
      (folder.path() / "round").string() + ": cannot write: Too many levels of symbolic links");
}

TEST(TextFile, ModeOfTheFileReplacedStays) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  for (const unsigned mode : {0640u, 0600u, 0664u, 0755u}) {
    write_file_atomically(path, "before");
    fs::permissions(path, fs::perms(mode));
    write_file_atomically(path, "after");
    EXPECT_EQ(fs::status(path).permissions(), fs::perms(mode));
    EXPECT_EQ(read_file(path), "after");
  }
}

TEST(TextFile, PipeIsWrittenAndStays) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "pipe";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  require_writable(path);
  std::string seen;
  std::thread reader([&] { seen = read_file(path); });
  write_file_atomically(path, "through");
  reader.join();
  EXPECT_EQ(seen, "through");
  EXPECT_TRUE(fs::is_fifo(path));
  EXPECT_EQ(entries_in(folder.path()), 1);
}

TEST(TextFile, DeviceIsWrittenAndStays) {
  const TemporaryFolder folder;
  fs::create_symlink("/dev/full", folder.path() / "full");
  fs::create_symlink("/dev/null", folder.path() / "null");
  require_writable(folder.path() / "null");
  write_file_atomically(folder.path() / "null", "x");
  EXPECT_EQ(error_of_writing(folder.path() / "full", "x"),
            (folder.path() / "full").string() + ": cannot write: No space left on device");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
  EXPECT_EQ(entries_in(folder.path()), 2);
}

TEST(TextFile, TryingWhetherAFileCanBeWrittenLeavesNothingAndNamesIt) {
  const TemporaryFolder folder;
  require_writable(folder.path() / "made" / "table.csv");
  EXPECT_EQ(entries_in(folder.path() / "made"), 0);
  const auto error_of_trying = [](const fs::path& path) -> std::string {
    try {
      require_writable(path);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  const std::string made = (folder.path() / "made").string();
  EXPECT_EQ(error_of_trying(made), made + ": cannot write: Is a directory");
  EXPECT_EQ(error_of_trying(made + "/"), made + "/: cannot write: not a file name");
}

TEST(TextFile, DiskThatTakesNoMoreIsToldFromAFileThatCannotBeWritten) {
  const TemporaryFolder folder;
  fs::create_symlink("/dev/full", folder.path() / "full");
  fs::create_directories(folder.path() / "taken");
  EXPECT_THROW(write_file_atomically(folder.path() / "full", "x"), DiskError);
  try {
    write_file_atomically(folder.path() / "taken", "x");
    ADD_FAILURE() << "written";
  } catch (const DiskError&) {
    ADD_FAILURE() << "the disk is not full";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit_code(), ExitCode::kCannotGoOn);
  }
}

TEST(TextFile, OpenFileIsWrittenThroughItsDescriptor) {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "log";
  write_file_atomically(path, "before ");
  const FileDescriptor file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  ASSERT_TRUE(file.is_open());
  for (const std::string& name :
       {"/dev/fd/" + std::to_string(file.get()), "/proc/self/fd/" + std::to_string(file.get())}) {
    require_writable(name);
    write_file_atomically(name, "more ");
  }
  EXPECT_EQ(read_file(path), "before more more ");
  EXPECT_EQ(entries_in(folder.path()), 1);
}

TEST(TextFile, ReadingNamesTheFileAndTheCause) {
  const TemporaryFolder folder;
  const auto error_of_reading = [](const fs::path& path) -> std::string {
    try {
      read_file(path);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(error_of_reading("no/such/file"),
            "no/such/file: cannot read: No such file or directory");
  EXPECT_EQ(error_of_reading(folder.path()),
            folder.path().string() + ": cannot read: Is a directory");
}

}  // namespace
}  // namespace mcvol
