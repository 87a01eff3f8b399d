#include "mcvol/files/text_file.h"

#include <algorithm>
#include <utility>

#include "cli/checks.h"
#include "cli/predict_run_fixture.h"
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <signal.h>

// Runs that are ended at a case that each test chooses, and run again.

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;

/// The files of a folder, sorted.
std::vector<std::string> files_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

TEST_F(PredictRun, SignalLeavesWhatIsFinishedAndTheNextRunTheRest) {
  copy_of_usual_run("whole");
  for (const auto& [number, exit_code] : {std::pair{SIGINT, 130}, std::pair{SIGTERM, 143}}) {
    const std::string out = "cut_" + std::to_string(number);
    const ProcessResult cut = predict_signalled_after("case_a", number, out, table("whole"));
    EXPECT_EQ(cut.exit_code, exit_code) << cut.err;
    EXPECT_TRUE(contains(cut.err, "error: interrupted: 1 of 3 cases measured")) << cut.err;
    const auto state = nlohmann::json::parse(read_file(root_ / out / "run.json"));
    EXPECT_EQ(state["state"], "interrupted");
    EXPECT_EQ(files_in(root_ / out / "cases"), std::vector<std::string>{"case_a.json"});
    EXPECT_FALSE(fs::exists(root_ / out / "report.html"));
    EXPECT_EQ(predict(out).exit_code, 0);
    EXPECT_EQ(table(out), table("whole"));
    EXPECT_TRUE(fs::exists(root_ / out / "report.html"));
  }
}

TEST_F(PredictRun, KilledRunIsResumedToTheSameTable) {
  copy_of_usual_run("whole");
  std::vector<std::string> before_the_kill;
  for (const char* case_id : {"case_a", "case_b", "case_c"}) {
    const std::string out = std::string("killed_after_") + case_id;
    const ProcessResult killed = predict_signalled_after(case_id, SIGKILL, out, table("whole"));
    EXPECT_EQ(killed.exit_code, -SIGKILL) << killed.err;
    before_the_kill.push_back(std::string(case_id) + ".json");
    EXPECT_EQ(files_in(root_ / out / "cases"), before_the_kill);
    EXPECT_EQ(predict(out).exit_code, 0);
    EXPECT_EQ(table(out), table("whole"));
  }
}

TEST_F(PredictRun, ReaderThatLeavesStopsTheRunWithWhatIsFinishedKept) {
  const ProcessResult result = run_mcvol_without_reader(arguments("out", {"--print", "jsonl"}));
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_TRUE(contains(result.err, "stdout")) << result.err;
  EXPECT_EQ(files_in(root_ / "out" / "cases"), std::vector<std::string>{"case_a.json"});
}

}  // namespace
}  // namespace mcvol::testing
