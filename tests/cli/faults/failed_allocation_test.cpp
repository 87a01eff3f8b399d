#include "mcvol/files/text_file.h"

#include <algorithm>
#include <atomic>
#include <functional>
#include <thread>

#include "cli/checks.h"
#include "cli/predict_run_fixture.h"

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;

/// Commands with each of their requests for a megabyte of memory or more refused in turn, once or
/// from then on, on an example with a tiny network.
class FailedAllocation : public PredictRun {
 protected:
  using Command = std::function<std::vector<std::string>(const std::string& out)>;

  void SetUp() override {
#ifndef MCVOL_FAIL_AT_ALLOCATION
    GTEST_SKIP() << "no library that refuses memory in this build";
#endif
    PredictRun::SetUp();
  }

  std::vector<std::string> predict_words(const std::string& out) const {
    return {"predict",   example_.string(),
            "--model",   model_.string(),
            "--out",     out,
            "--device",  "cpu",
            "--passes",  "4",
            "--save",    "bounds,labels",
            "--threads", "2"};
  }

  /// @returns how many requests there are.
  int refuse_each_request(const Command& command) const {
    fs::remove_all(root_ / "whole");
    const ProcessResult undisturbed = run_mcvol(command((root_ / "whole").string()));
    EXPECT_EQ(undisturbed.exit_code, 0) << undisturbed.err;
    std::atomic<int> next{1}, requests{0};
    std::atomic<bool> ended{false};
    const auto work = [&](const std::string& out) {
      for (int n = next++; !ended; n = next++) {
        if (refuse(command, n, undisturbed, out)) {
          ++requests;
        } else {
          ended = true;
        }
      }
    };
    std::jthread other(work, "out_2");
    work("out_1");
    return requests;
  }

  fs::path example_ = fs::path(MCVOL_SOURCE_DIR) / "examples/scans/phantom_0000";

 private:
  /// False where the command made fewer than n requests.
  bool refuse(const Command& command, int n, const ProcessResult& undisturbed,
              const std::string& out) const {
    fs::remove_all(root_ / out);
    const fs::path note = root_ / (out + ".note");
    fs::remove(note);
    std::vector<std::string> words{"MCVOL_TEST_FAIL_AT=" + std::to_string(n),
                                   "MCVOL_TEST_FAIL_NOTE=" + note.string()};
    // What comes later is another path where the memory is there again and where it is not.
    if (n % 2 == 0) words.emplace_back("MCVOL_TEST_FAIL_ON=1");
#ifdef MCVOL_FAIL_AT_ALLOCATION
    words.emplace_back("LD_PRELOAD=" MCVOL_FAIL_AT_ALLOCATION);
#endif
    words.emplace_back(MCVOL_EXECUTABLE);
    const std::vector<std::string> arguments = command((root_ / out).string());
    words.insert(words.end(), arguments.begin(), arguments.end());
    const ProcessResult result = run_program("/usr/bin/env", words);
    if (!fs::exists(note)) return false;
    const ::testing::ScopedTrace trace(
        __FILE__, __LINE__,
        "request " + std::to_string(n) + ", a " + read_file(note) + "\n" + result.err);
    expect_told(result, undisturbed);
    expect_nothing_half(out);
    const ProcessResult again = run_mcvol(arguments);
    EXPECT_EQ(again.exit_code, 0) << again.err;
    EXPECT_EQ(again.out, undisturbed.out);
    EXPECT_TRUE(contents(out) == contents("whole"));
    return true;
  }

  /// By exit code 1 and one line or, where other cases could go on, by 3 and that of the case; by a
  /// warning where the numbers are there but a picture or a page is not.
  static void expect_told(const ProcessResult& result, const ProcessResult& undisturbed) {
    const auto lines_of = [&](const std::string& kind) {
      int lines = 0;
      for (std::size_t at = 0; (at = result.err.find(kind, at)) != std::string::npos; ++at) ++lines;
      return lines;
    };
    if (result.exit_code == 0) {
      EXPECT_EQ(result.out, undisturbed.out);
      EXPECT_EQ(lines_of("error: "), 0);
      const bool told = result.err == undisturbed.err || contains(result.err, "not enough memory");
      EXPECT_TRUE(told);
      return;
    }
    EXPECT_TRUE(result.exit_code == 1 || result.exit_code == 3) << result.exit_code;
    EXPECT_EQ(lines_of("error: "), 1);
    EXPECT_TRUE(contains(result.err.substr(result.err.find("error: ")), "not enough memory"));
    EXPECT_FALSE(contains(result.err, "std::bad_alloc"));
  }

  /// Every file is as it is to be, or says that the case failed.
  void expect_nothing_half(const std::string& out) const {
    const auto whole = contents("whole");
    for (const auto& [name, bytes] : contents(out)) {
      EXPECT_FALSE(contains(name, ".tmp-")) << name;
      if (whole.contains(name) && whole.at(name) == bytes) continue;
      const bool may_be_of_less = name == "volumes.csv" || name.starts_with("cases/");
      EXPECT_TRUE(may_be_of_less) << name;
    }
  }
};

TEST_F(FailedAllocation, PredictSaysSoAndGoesOnToTheSameBytes) {
  EXPECT_GE(refuse_each_request([&](const std::string& out) { return predict_words(out); }), 30);
}

TEST_F(FailedAllocation, InspectSaysSo) {
  const std::string scan = (example_ / "phantom_0000_t1.nii.gz").string();
  EXPECT_GE(refuse_each_request([&](const std::string&) {
              return std::vector<std::string>{"inspect", model_.string(), scan};
            }),
            3);
}

TEST_F(FailedAllocation, CommandsOnRecordsSaySoAndWriteNothing) {
  const std::string results = (root_ / "results").string();
  const std::string scans = example_.parent_path().string();
  ASSERT_EQ(run_mcvol({"predict", scans, "--model", model_.string(), "--out", results, "--device",
                       "cpu", "--passes", "2", "--no-thumbnails"})
                .exit_code,
            0);
  const std::vector<Command> commands{[&](const std::string& out) {
                                        return std::vector<std::string>{"calibrate",
                                                                        results,
                                                                        "--references",
                                                                        scans,
                                                                        "--level",
                                                                        "0.5",
                                                                        "--label-map",
                                                                        "4=2",
                                                                        "--output",
                                                                        out + "/calibration.json",
                                                                        "--accept-references"};
                                      },
                                      [&](const std::string& out) {
                                        return std::vector<std::string>{
                                            "evaluate", results,       "--references",
                                            scans,      "--label-map", "4=2",
                                            "--out",    out,           "--accept-references"};
                                      }};
  for (const Command& command : commands) EXPECT_GE(refuse_each_request(command), 1);
}

}  // namespace
}  // namespace mcvol::testing
