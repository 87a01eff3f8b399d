#include "mcvol/analysis/volume_table.h"

#include <cmath>
#include <set>

#include "pipeline/predict/predict_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using testing::Predict;

/// Passes that differ as if drawn, by this much: standard errors of a few percent of the width.
float drawn_shift(int pass) { return 1.2f * static_cast<float>(std::sin(12.9898 * (pass + 1))); }

TEST_F(Predict, AToleranceStopsEachScanWhereFixedPassesGiveTheSameNumbers) {
  behaviour_->shift = drawn_shift;
  PredictOptions settled = options();
  settled.mc_tolerance = 0.025;
  run(settled);
  EXPECT_GT(record("case_a").passes, 20);
  std::set<int> numbers;
  for (const char* case_id : {"case_a", "case_b", "case_c"}) {
    const CaseRecord found = record(case_id);
    EXPECT_EQ(found.flags, std::vector<std::string>{"small_brain"});
    numbers.insert(found.passes);
    PredictOptions fixed = options("fixed_" + std::to_string(found.passes));
    fixed.passes = found.passes;
    run(fixed);
    CaseRecord expected = read_case_record(fixed.output, case_id);
    for (std::size_t region = 0; region < expected.regions.size(); ++region) {
      EXPECT_EQ(found.regions[region].monte_carlo_error,
                expected.regions[region].monte_carlo_error);
    }
    expected.run_identity = found.run_identity;
    EXPECT_TRUE(found.same_measurement(expected)) << case_id;
    EXPECT_NE(table().find("\n" + std::string(case_id) + ",whole,0.9,,,,"), std::string::npos);
  }
  // The rows of a scan are those of its number of passes.
  std::string rows = volume_csv_header();
  for (const char* case_id : {"case_a", "case_b", "case_c"}) {
    const std::string of = table("fixed_" + std::to_string(record(case_id).passes));
    const std::size_t begin = of.find(std::string("\n") + case_id) + 1;
    const std::size_t next = of.find("\ncase_", of.rfind(std::string("\n") + case_id) + 1);
    rows += of.substr(begin, next == of.npos ? of.npos : next + 1 - begin);
  }
  EXPECT_EQ(table(), rows);
}

TEST_F(Predict, ATightToleranceEndsAtTheMostPassesWithAFlag) {
  // One pass of twenty is far off: the upper bound lies where few volumes are, whatever the passes.
  behaviour_->shift = [](int pass) { return pass % 20 == 7 ? 3.0f : 0.0f; };
  PredictOptions settled = options();
  settled.mc_tolerance = 1e-6;
  EXPECT_EQ(run(settled).exit_code, ExitCode::kSuccess);
  EXPECT_EQ(record("case_b").passes, 320);
  EXPECT_EQ(record("case_b").flags,
            (std::vector<std::string>{"mc_tolerance_missed", "small_brain"}));
  EXPECT_NE(table().find(",320,ok,mc_tolerance_missed;small_brain;uncalibrated,"),
            std::string::npos)
      << table();
}

TEST_F(Predict, AToleranceIsKeptWhereNothingChangedAndOthersAreRefusedByName) {
  PredictOptions settled = options();
  settled.mc_tolerance = 0.05;
  run(settled);
  const std::string before = table();
  settled.passes = 7;  // Takes no part.
  settled.levels = parse_levels({"0.5"});
  EXPECT_EQ(run(settled).kept, 3);
  EXPECT_NE(table(), before);
  settled.levels = parse_levels({"0.9"});
  run(settled);
  EXPECT_EQ(table(), before);
  const auto refusal = [&](const PredictOptions& other) -> std::string {
    try {
      run(other);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "none";
  };
  const std::string made = (root_ / "out").string() + ": its results were made with ";
  const std::string todo = "; use another --out, or --fresh to start again";
  EXPECT_EQ(refusal(options()), made + "passes \"auto\", this run has 3" + todo);
  PredictOptions other = settled;
  other.mc_tolerance = 0.1;
  EXPECT_EQ(refusal(other), made + "mc_tolerance 0.05, this run has 0.1" + todo);
  EXPECT_EQ(run_file().options["passes"], "auto");
  EXPECT_EQ(run_file().options["mc_tolerance"], 0.05);
}

TEST_F(Predict, StopBetweenTwoRequestsLeavesTheScanForTheNextRun) {
  behaviour_->shift = drawn_shift;
  PredictOptions settled = options();
  settled.mc_tolerance = 0.025;
  run(settled);
  settled.output = root_ / "cut";
  services_.stop = [this, before = behaviour_->runs]() -> std::optional<ExitCode> {
    if (behaviour_->runs > before + 1) return ExitCode::kInterrupted;
    return std::nullopt;
  };
  EXPECT_EQ(run(settled).exit_code, ExitCode::kInterrupted);
  EXPECT_FALSE(fs::exists(root_ / "cut" / "cases" / "case_a.json"));
  services_.stop = [] { return std::nullopt; };
  run(settled);
  EXPECT_EQ(table("cut"), table());
}

}  // namespace
}  // namespace mcvol
