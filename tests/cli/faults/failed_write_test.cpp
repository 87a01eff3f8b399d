#include "mcvol/files/text_file.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <functional>
#include <map>
#include <thread>

#include "cli/checks.h"
#include "cli/predict_run_fixture.h"
#include <nlohmann/json.hpp>

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;

/// Every command with each of the calls failing in turn that write or change which files there are.
class FailedWrite : public PredictRun {
 protected:
  using Files = std::map<std::string, std::string>;
  using Command = std::function<std::vector<std::string>(const std::string& out)>;

  struct Fault {
    int error;     ///< errno
    bool goes_on;  ///< all later calls fail, too
  };
  /// On a full disk some things still work; on one that is mounted anew nothing does.
  static constexpr Fault kOnce{ENOSPC, false}, kFromThenOn{EROFS, true};

  void SetUp() override {
#ifndef MCVOL_FAIL_AT_WRITE
    GTEST_SKIP() << "no library that lets calls fail in this build";
#endif
    PredictRun::SetUp();
  }

  /// Each call of `command` fails in copies of `before`, a folder of the test's that may not be
  /// there, in both ways or, where it takes long, in one way or the other. @returns how often.
  int fail_each_call(const std::string& before, const Command& command,
                     bool takes_long = false) const {
    copy_of(before, "whole");
    const ProcessResult undisturbed = run_mcvol(command((root_ / "whole").string()));
    EXPECT_EQ(undisturbed.exit_code, 0) << undisturbed.err;
    const Trials trials{before, command, contents(before), contents("whole")};
    std::atomic<int> calls{0};
    for (const bool other_way : {false, true}) {
      if (other_way && takes_long) break;
      std::atomic<int> next{1};
      std::atomic<bool> ended{false};
      const auto work = [&](const std::string& out) {
        for (int n = next++; !ended; n = next++) {
          const bool once = takes_long ? n % 2 == 0 : !other_way;
          if (!fail(trials, n, once ? kOnce : kFromThenOn, out)) {
            ended = true;
          } else {
            ++calls;
          }
        }
      };
      std::jthread other(work, "out_2");
      work("out_1");
    }
    return calls;
  }

 private:
  struct Trials {
    const std::string& before;
    const Command& command;
    Files files_before, files_whole;
  };

  void copy_of(const std::string& before, const std::string& out) const {
    fs::remove_all(root_ / out);
    if (fs::exists(root_ / before)) {
      fs::copy(root_ / before, root_ / out, fs::copy_options::recursive);
    }
  }

  /// False where the command made fewer than n calls.
  bool fail(const Trials& trials, int n, Fault fault, const std::string& out) const {
    copy_of(trials.before, out);
    const fs::path note = root_ / (out + ".note");
    fs::remove(note);
    const std::vector<std::string> command = trials.command((root_ / out).string());
    const ProcessResult result = run_failing(n, fault, note, command);
    if (!fs::exists(note)) return false;
    const std::string call = read_file(note);
    const ::testing::ScopedTrace trace(__FILE__, __LINE__,
                                       "call " + std::to_string(n) + " with errno " +
                                           std::to_string(fault.error) + ": " + call + "\n" +
                                           result.err);
    const Files now = contents(out);
    if (result.exit_code == 0) {
      EXPECT_EQ(visible(now), trials.files_whole);
    } else {
      EXPECT_EQ(result.exit_code, 1);
      expect_one_clear_line(result.err, fault.error, out);
    }
    for (const auto& [name, bytes] : visible(now)) expect_whole(trials, out, name, bytes);
    const bool could_tidy_up =
        !fault.goes_on && !call.starts_with("unlink") && !call.starts_with("remove");
    if (could_tidy_up) {
      EXPECT_EQ(visible(now).size(), now.size()) << "a temporary file is left";
    }
    const ProcessResult again = run_mcvol(command);
    EXPECT_EQ(again.exit_code, 0) << again.err;
    EXPECT_EQ(visible(contents(out)), trials.files_whole);
    return true;
  }

  static ProcessResult run_failing(int n, Fault fault, const fs::path& note,
                                   const std::vector<std::string>& command) {
    std::vector<std::string> words{"MCVOL_TEST_FAIL_AT=" + std::to_string(n),
                                   "MCVOL_TEST_FAIL_WITH=" + std::to_string(fault.error),
                                   "MCVOL_TEST_FAIL_NOTE=" + note.string()};
#ifdef MCVOL_FAIL_AT_WRITE
    words.emplace_back("LD_PRELOAD=" MCVOL_FAIL_AT_WRITE);
#endif
    if (fault.goes_on) words.emplace_back("MCVOL_TEST_FAIL_ON=1");
    words.emplace_back(MCVOL_EXECUTABLE);
    words.insert(words.end(), command.begin(), command.end());
    return run_program("/usr/bin/env", words);
  }

  /// What has a name that it is to keep.
  static Files visible(Files files) {
    std::erase_if(files, [](const auto& file) {
      return fs::path(file.first).filename().string().starts_with(".");
    });
    return files;
  }

  void expect_one_clear_line(const std::string& err, int error, const std::string& out) const {
    const std::size_t at = err.find("error: ");
    ASSERT_NE(at, std::string::npos);
    EXPECT_EQ(err.find("error: ", at + 1), std::string::npos);
    const std::string line = err.substr(at, err.find('\n', at) - at);
    EXPECT_TRUE(contains(line, (root_ / out).string())) << line;
    EXPECT_TRUE(contains(line, std::strerror(error))) << line;
    EXPECT_FALSE(contains(line, ".tmp-")) << line;
  }

  /// As it was, as it is to be, or on the way there, but never a part.
  void expect_whole(const Trials& trials, const std::string& out, const std::string& name,
                    const std::string& bytes) const {
    const auto is_in = [&](const Files& files) {
      return files.contains(name) && files.at(name) == bytes;
    };
    if (is_in(trials.files_before) || is_in(trials.files_whole)) return;
    if (name.ends_with("maps.json")) {
      EXPECT_FALSE(nlohmann::json::parse(bytes, nullptr, false).is_discarded()) << name;
      return;
    }
    // The table of the cases finished so far, which may be none.
    EXPECT_EQ(name, "volumes.csv");
    EXPECT_TRUE(trials.files_whole.at(name).starts_with(bytes)) << bytes;
    EXPECT_TRUE(bytes.ends_with("\n")) << out;
  }
};

TEST_F(FailedWrite, PredictLosesNothingAndGoesOn) {
  ASSERT_EQ(copy_of_usual_run("measured").exit_code, 0);
  const std::string calibrated = calibration("measured", "a", 1.05);
  const int calls = fail_each_call(
      "nothing",
      [&](const std::string& out) {
        // An absolute folder stands for itself behind root_.
        return arguments(out, {"--case", "case_a", "--threads", "1", "--level", "0.5",
                               "--calibration", calibrated, "--save", "segmentation"});
      },
      true);
  EXPECT_GE(calls, 60);
}

TEST_F(FailedWrite, AnotherCalibrationAndItsBoundsAreWrittenWholeOrLater) {
  ASSERT_EQ(copy_of_usual_run("measured").exit_code, 0);
  const std::string calibrated = calibration("measured", "a", 1.05);
  const std::vector<std::string> one_case{"--case",  "case_a", "--threads",    "1",
                                          "--level", "0.5",    "--calibration"};
  const auto with = [&](const std::string& choice, std::vector<std::string> words) {
    words.insert(words.begin(), choice);
    words.insert(words.begin(), one_case.begin(), one_case.end());
    return words;
  };
  ASSERT_EQ(predict("before", with("none", {"--save", "bounds"})).exit_code, 0);
  const int calls = fail_each_call(
      "before", [&](const std::string& out) { return arguments(out, with(calibrated, {})); });
  EXPECT_GE(calls, 100);
}

TEST_F(FailedWrite, MergeIsTakenUp) {
  ASSERT_EQ(predict("source", {"--case", "case_a", "--save", "segmentation"}).exit_code, 0);
  const int calls = fail_each_call("nothing", [&](const std::string& out) {
    return std::vector<std::string>{"merge", (root_ / "source").string(), "--out", out};
  });
  EXPECT_GE(calls, 80);
}

TEST_F(FailedWrite, MapsAreDrawnInTheEnd) {
  ASSERT_EQ(predict("before", {"--case", "case_a", "--save", "bounds"}).exit_code, 0);
  const int calls = fail_each_call("before", [&](const std::string& out) {
    return std::vector<std::string>{"maps", out, "--save", "segmentation,entropy"};
  });
  EXPECT_GE(calls, 50);
}

TEST_F(FailedWrite, CommandsWithoutInferenceLeaveTheirTablesWholeOrAsTheyWere) {
  ASSERT_EQ(copy_of_usual_run("measured").exit_code, 0);
  const std::string results = (root_ / "measured").string();
  const std::string calibrated = calibration("measured", "a", 1.05);
  const std::string references = (root_ / "a.csv").string();
  write_file_atomically(root_ / "pairs.csv", "subject_id,baseline,followup\ns,case_a,case_b\n");
  using Words = std::vector<std::string>;
  const std::vector<Command> commands{
      [&](const std::string& out) {
        return Words{"interval", results, "--output", out + "/volumes_2.csv"};
      },
      [&](const std::string& out) {
        return Words{"calibrate",       results, "--references",        references,
                     "--level",         "0.5",   "--accept-references", "--output",
                     out + "/mine.json"};
      },
      [&](const std::string& out) {
        return Words{"evaluate",
                     results,
                     "--references",
                     references,
                     "--calibration",
                     "none",
                     "--accept-references",
                     "--out",
                     out};
      },
      [&](const std::string& out) {
        return Words{"report", results, "--output", out + "/report.html"};
      },
      [&](const std::string& out) {
        return Words{"change",        results,
                     "--pairs",       (root_ / "pairs.csv").string(),
                     "--level",       "0.5",
                     "--calibration", calibrated,
                     "--output",      out + "/change.csv"};
      }};
  // Into a folder that is made, and over what an earlier call has written there.
  for (const Command& command : commands) {
    EXPECT_GE(fail_each_call("nothing", command), 8);
    const std::string old = (root_ / "old").string();
    fs::remove_all(old);
    ASSERT_EQ(run_mcvol(command(old)).exit_code, 0);
    for (const auto& entry : fs::directory_iterator(old)) {
      write_file_atomically(entry.path(), "as it was\n");
    }
    EXPECT_GE(fail_each_call("old", command), 8);
  }
}

TEST_F(FailedWrite, AFullDiskIsNotPassedOverInSilence) {
#ifdef MCVOL_FAIL_AT_WRITE
  ASSERT_EQ(copy_of_usual_run("out").exit_code, 0);
  // All is measured: what is left to write are table and page.
  fs::remove(root_ / "out" / "report.html");
  const std::vector<std::string> words = arguments("out", {"--quiet"});
  bool page_failed = false;
  for (int n = 1; !page_failed; ++n) {
    std::vector<std::string> failing{"MCVOL_TEST_FAIL_AT=" + std::to_string(n),
                                     "MCVOL_TEST_FAIL_WITH=" + std::to_string(ENOSPC),
                                     "MCVOL_TEST_FAIL_NOTE=" + (root_ / "note").string(),
                                     "LD_PRELOAD=" MCVOL_FAIL_AT_WRITE, MCVOL_EXECUTABLE};
    failing.insert(failing.end(), words.begin(), words.end());
    fs::remove(root_ / "note");
    const ProcessResult result = run_program("/usr/bin/env", failing);
    ASSERT_TRUE(fs::exists(root_ / "note")) << "the page is not written";
    page_failed = contains(read_file(root_ / "note"), "report.html");
    if (!page_failed) continue;
    EXPECT_EQ(result.exit_code, 1);
    EXPECT_EQ(result.err, "error: " + (root_ / "out" / "report.html").string() +
                              ": cannot write: No space left on device\n");
  }
#endif
}

}  // namespace
}  // namespace mcvol::testing
