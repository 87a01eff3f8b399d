#include "mcvol/analysis/tabulate.h"
#include "mcvol/files/text_file.h"
#include "mcvol/volumetry/monte_carlo_error.h"

#include <sstream>

#include "pipeline/predict/predict_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using testing::Predict;

TEST_F(Predict, MeasuresEveryScanIntoRecordsTableAndRunFile) {
  const PredictOutcome outcome = run(options());
  EXPECT_EQ(outcome.exit_code, ExitCode::kSuccess);
  EXPECT_EQ(outcome.found, 3);
  EXPECT_EQ(outcome.measured, 3);
  EXPECT_EQ(listener_.order, (std::vector<std::string>{"case_a", "case_b", "case_c"}));
  const CaseRecord first = record("case_a");
  ASSERT_EQ(first.regions.size(), 2u);
  EXPECT_EQ(first.regions[0].region, "whole");
  EXPECT_EQ(first.regions[0].passes.size(), 3u);
  EXPECT_EQ(first.inputs.size(), 2u);
  const RunFile state = run_file();
  EXPECT_EQ(state.state, RunFile::State::kComplete);
  EXPECT_EQ(state.done, 3);
  EXPECT_EQ(state.device, "fake");
  EXPECT_FALSE(state.ended.empty());
}

TEST_F(Predict, RunFileSaysWhereTheTimeWent) {
  behaviour_->device = "cpu";
  run(options());
  const nlohmann::json timings_s = run_file().timings_s;
  for (const char* stage : {"network_loading", "read", "prepare", "network", "prefix", "suffix",
                            "accumulate", "write", "total"}) {
    EXPECT_GE(timings_s.value(stage, -1.0), 0.0) << stage;
  }
  for (const char* stage : {"read", "prepare", "suffix", "accumulate", "write"}) {
    EXPECT_GT(timings_s[stage], 0.0) << stage;
  }
  EXPECT_LE(timings_s["suffix"].get<double>() + timings_s["accumulate"].get<double>(),
            timings_s["network"]);
  EXPECT_LE(timings_s["network"].get<double>() + timings_s["write"].get<double>(),
            timings_s["total"]);
}

TEST_F(Predict, StagesOfANetworkThatIsNotOnTheCpuAreNull) {
  run(options());
  const nlohmann::json timings_s = run_file().timings_s;
  for (const char* stage : {"prefix", "suffix", "accumulate"}) {
    EXPECT_TRUE(timings_s.at(stage).is_null()) << stage;
  }
  EXPECT_GT(timings_s["network"], 0.0);
}

TEST_F(Predict, TableHasTheBytesThatTheRecordsGive) {
  run(options());
  const std::string written = table();
  EXPECT_EQ(written.find("\ncase_a,whole,0.9,"), written.find('\n'));
  TabulateOptions tabulation;
  tabulation.results = root_ / "out";
  EXPECT_EQ(tabulate(tabulation).csv(), written);
}

TEST_F(Predict, RecordsHoldAPassWithoutDropout) {
  run(options());
  ASSERT_EQ(record("case_a").regions[0].without_dropout.size(), 1u);
  EXPECT_NE(record("case_a").regions[0].without_dropout[0], record("case_a").regions[0].passes[0]);
}

TEST_F(Predict, RecordsHoldTheAgreementOfPassesAndTheQualityOfTheInput) {
  behaviour_->networks = 2;
  PredictOptions ensemble = options();
  ensemble.passes = 6;
  run(ensemble);
  const CaseRecord found = record("case_a");
  for (const RegionRecord& region : found.regions) {
    ASSERT_EQ(region.agreement.size(), 7u);
    std::int64_t above = 0, of_passes = 0;
    for (std::size_t n = 0; n < 7; ++n) above += static_cast<std::int64_t>(n) * region.agreement[n];
    for (const LogitHistogram& pass : region.passes) of_passes += pass.above_half();
    EXPECT_EQ(above, of_passes);
    EXPECT_GT(region.agreement[6], 0);
  }
  const ImageQuality& quality = found.image_quality.value();
  EXPECT_DOUBLE_EQ(quality.brain_ml, static_cast<double>(found.regions[0].mean.voxel_count()) *
                                         found.grid.voxel_volume_ml());
  ASSERT_EQ(quality.channels.size(), 2u);
  EXPECT_EQ(quality.shifts_voxels[1], (std::array<std::int64_t, 3>{2, 2, 2}));
  EXPECT_GT(quality.channels[1].mutual_information.value().unshifted.value(), 0.0);
}

TEST_F(Predict, FixedPassesRecordTheirMonteCarloErrorToo) {
  PredictOptions fixed = options();
  run(fixed);
  const CaseRecord found = record("case_a");
  const VolumeDistribution volumes(found.regions[0].passes, found.grid.voxel_volume_ml(), {});
  EXPECT_EQ(found.regions[0].monte_carlo_error, monte_carlo_error(volumes, 0.9));
  fixed.passes = 1;
  fixed.fresh = true;
  run(fixed);
  EXPECT_EQ(record("case_a").regions[0].monte_carlo_error, std::nullopt);
}

TEST_F(Predict, BlocksAndTableWritesInBetweenDoNotChangeABit) {
  run(options("whole"));
  behaviour_->block_size = 7;
  PredictOptions often = options("often");
  often.table_interval_s = 0;
  run(often);
  EXPECT_EQ(table("often"), table("whole"));
  EXPECT_EQ(read_file(root_ / "often" / "cases" / "case_b.json"),
            read_file(root_ / "whole" / "cases" / "case_b.json"));
}

TEST_F(Predict, PassesInAnotherOrderDoNotChangeAByte) {
  PredictOptions many = options("whole");
  many.passes = 13;
  run(many);
  behaviour_->passes_backwards = true;
  many.output = root_ / "backwards";
  run(many);
  EXPECT_EQ(table("backwards"), table("whole"));
  EXPECT_EQ(read_file(root_ / "backwards" / "cases" / "case_b.json"),
            read_file(root_ / "whole" / "cases" / "case_b.json"));
}

TEST_F(Predict, RecordsOfScansThatAreGoneStayInTheTableWithAFlag) {
  run(options());
  const std::string before = table();
  EXPECT_EQ(before.find("not_found"), std::string::npos);
  fs::rename(root_ / "scans" / "case_b", root_ / "case_b");
  run(options());
  std::istringstream lines(table());
  for (std::string line; std::getline(lines, line);) {
    EXPECT_EQ(line.find("not_found") != std::string::npos, line.starts_with("case_b")) << line;
  }
  ASSERT_EQ(listener_.warnings.size(), 1u);
  EXPECT_NE(listener_.warnings[0].find("case_b of earlier runs: not found among the scans"),
            std::string::npos);
  // Cases that were not asked for are not gone.
  PredictOptions some = options();
  some.only_cases = {"case_a"};
  fs::rename(root_ / "case_b", root_ / "scans" / "case_b");
  EXPECT_EQ(run(some).found, 1);
  EXPECT_EQ(table(), before);
}

}  // namespace
}  // namespace mcvol
