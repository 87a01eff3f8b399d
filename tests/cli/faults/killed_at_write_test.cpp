#include <csignal>
#include <map>

#include "cli/checks.h"
#include "cli/predict_run_fixture.h"

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;

/// Runs that are killed before each of the calls that change which files there are, and taken up.
class KilledAtWrite : public PredictRun {
 protected:
  void SetUp() override {
#ifndef MCVOL_KILL_AT_WRITE
    GTEST_SKIP() << "no library to kill with in this build";
#endif
    PredictRun::SetUp();
  }

  /// False where the run ended before its n-th such call.
  static bool killed_at(int n, const std::vector<std::string>& arguments) {
#ifdef MCVOL_KILL_AT_WRITE
    std::vector<std::string> words{"LD_PRELOAD=" MCVOL_KILL_AT_WRITE,
                                   "MCVOL_TEST_KILL_AT=" + std::to_string(n), MCVOL_EXECUTABLE};
    words.insert(words.end(), arguments.begin(), arguments.end());
    const ProcessResult result = run_program("/usr/bin/env", words);
    if (result.exit_code == -SIGKILL) return true;
    EXPECT_EQ(result.exit_code, 0) << result.err;
#endif
    return false;
  }

  int measure_killed(const std::vector<std::string>& saving) const;
  int draw_killed(const std::vector<std::string>& more) const;
};

/// A run of these options, killed wherever it may be. @returns how often it was.
int KilledAtWrite::measure_killed(const std::vector<std::string>& saving) const {
  EXPECT_EQ(predict("whole", saving).exit_code, 0);
  const auto whole = contents("whole");
  int kills = 0;
  for (int n = 1; killed_at(n, arguments("out", saving)); ++n, ++kills) {
    const ProcessResult again = predict("out", saving);
    EXPECT_EQ(again.exit_code, 0) << "killed at " << n << ": " << again.err;
    EXPECT_EQ(contents("out"), whole) << "killed at " << n;
    fs::remove_all(root_ / "out");
  }
  return kills;
}

TEST_F(KilledAtWrite, MeasuringGoesOnToTheSameBytes) {
  EXPECT_GE(measure_killed({"--save", "segmentation,bounds"}), 20);
  EXPECT_GE(contents("whole").size(), 3u * 4);
}

TEST_F(KilledAtWrite, MeasuringGoesOnToTheSameDataSetOfBids) {
  const int kills = measure_killed(
      {"--case", "case_a", "--save", "segmentation,labels", "--save-layout", "bids"});
  EXPECT_GE(kills, 20);
  EXPECT_TRUE(contents("whole").contains("maps/dataset_description.json"));
}

/// Bounds and segmentations drawn to another calibration than those of a run with `more`, killed
/// wherever it may be. @returns how often it was.
int KilledAtWrite::draw_killed(const std::vector<std::string>& more) const {
  EXPECT_EQ(copy_of_usual_run("measured").exit_code, 0);
  const std::string calibrated = calibration("measured", "a", 1.05);
  std::vector<std::string> raw{"--level", "0.5", "--calibration", "none", "--save", "bounds"};
  raw.insert(raw.end(), more.begin(), more.end());
  EXPECT_EQ(predict("base", raw).exit_code, 0);
  const auto draw = [&](const std::string& out, const std::string& kind) {
    std::vector<std::string> words{"maps", (root_ / out).string(), "--save", kind};
    if (kind != "bounds") return words;
    words.insert(words.end(), {"--level", "0.5", "--calibration", calibrated});
    return words;
  };
  // All but the lists, whose order may be another.
  const auto images = [&](const std::string& out) {
    auto files = contents(out);
    std::erase_if(files, [](const auto& file) {
      return !file.first.starts_with("maps/") || file.first.ends_with("maps.json");
    });
    return files;
  };
  fs::copy(root_ / "base", root_ / "whole", fs::copy_options::recursive);
  for (const char* kind : {"bounds", "segmentation"}) {
    const ProcessResult drawn = run_mcvol(draw("whole", kind));
    EXPECT_EQ(drawn.exit_code, 0) << drawn.err;
  }
  const auto whole = images("whole");
  EXPECT_NE(whole.size(), images("base").size());
  int kills = 0;
  for (int n = 1;; ++n, ++kills) {
    fs::remove_all(root_ / "out");
    fs::copy(root_ / "base", root_ / "out", fs::copy_options::recursive);
    if (!killed_at(n, draw("out", "bounds"))) break;
    // Another kind may have to wait for what was begun, and never makes it pass for done.
    const int other = run_mcvol(draw("out", "segmentation")).exit_code;
    EXPECT_TRUE(other == 0 || other == 3) << other << ", killed at " << n;
    for (const char* kind : {"bounds", "segmentation"}) {
      const ProcessResult again = run_mcvol(draw("out", kind));
      EXPECT_EQ(again.exit_code, 0) << "killed at " << n << ": " << again.err;
    }
    const auto now = images("out");
    for (const auto& [name, bytes] : whole) {
      EXPECT_TRUE(now.contains(name) && now.at(name) == bytes) << name << ", killed at " << n;
    }
    EXPECT_EQ(now.size(), whole.size()) << "killed at " << n;
  }
  return kills;
}

TEST_F(KilledAtWrite, DrawingIsTakenUpWhateverIsDrawnNext) { EXPECT_GE(draw_killed({}), 12); }

TEST_F(KilledAtWrite, DrawingInADataSetOfBidsIsTakenUpToo) {
  EXPECT_GE(draw_killed({"--case", "case_a", "--save-layout", "bids"}), 12);
}

TEST_F(KilledAtWrite, AnotherCalibrationIsTakenUp) {
  ASSERT_EQ(copy_of_usual_run("whole").exit_code, 0);
  const std::vector<std::string> choices{calibration("whole", "a", 1.05),
                                         calibration("whole", "b", 1.15), "none"};
  int kills = 0;
  for (std::size_t from = 0; from < choices.size(); ++from) {
    for (std::size_t to = 0; to < choices.size(); ++to) {
      if (from == to) continue;
      const auto with = [&](std::size_t choice) {
        return std::vector<std::string>{"--level", "0.5", "--calibration", choices[choice]};
      };
      for (int n = 1;; ++n) {
        fs::remove_all(root_ / "out");
        fs::copy(root_ / "whole", root_ / "out", fs::copy_options::recursive);
        ASSERT_EQ(predict("out", with(from)).exit_code, 0);
        if (!killed_at(n, arguments("out", with(to)))) break;
        ++kills;
        // With what it was to get, and with what it had, or another.
        for (const std::size_t next : {(n + to) % 3, to}) {
          const ProcessResult again = predict("out", with(next));
          EXPECT_EQ(again.exit_code, 0)
              << "from " << from << " to " << to << " killed at " << n << ": " << again.err;
        }
        EXPECT_EQ(contains(table("out"), "uncalibrated"), choices[to] == "none");
      }
    }
  }
  EXPECT_GE(kills, 12);
}

}  // namespace
}  // namespace mcvol::testing
