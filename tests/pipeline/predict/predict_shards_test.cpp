#include "mcvol/io/records/thumbnail.h"
#include "mcvol/pipeline/merge.h"

#include "pipeline/merge/merge_fixture.h"
#include "pipeline/predict/predict_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using testing::Predict;

TEST_F(Predict, MergedShardsGiveTheSameTable) {
  fs::remove(root_ / "scans" / "case_c" / "case_c_t1.nii.gz");
  PredictOptions whole_run = options("whole");
  whole_run.save = MapChoice::parse({"bounds"});
  run(whole_run);
  int found = 0;
  for (int index = 1; index <= 3; ++index) {
    PredictOptions part = options("parts");
    part.shard = Shard{index, 3};
    part.save = MapChoice::parse({"bounds"});
    found += run(part).found;
    EXPECT_TRUE(fs::exists(shard_folder(root_ / "parts", *part.shard) / "volumes.csv"));
  }
  EXPECT_EQ(found, 3);
  MergeOptions merging;
  merging.sources = {root_ / "parts"};
  merging.out = root_ / "parts";
  const MergeReport report = merge_results(merging);
  EXPECT_TRUE(report.complete);
  EXPECT_TRUE(report.notes.empty());
  EXPECT_EQ(report.done, 2);
  EXPECT_EQ(report.failed, 1);
  EXPECT_EQ(table("parts"), table("whole"));
  // Records, tables, slices and saved images, and no file more.
  auto whole = testing_support::contents_of(root_ / "whole");
  auto parts = testing_support::contents_of(root_ / "parts");
  whole.erase("run.json");
  parts.erase("run.json");
  EXPECT_EQ(parts, whole);
  EXPECT_TRUE(fs::exists(thumbnail_path(root_ / "parts", "case_a")));
  EXPECT_FALSE(fs::exists(thumbnail_path(root_ / "parts", "case_c")));
}

TEST_F(Predict, EmptyShardIsASuccess) {
  PredictOptions part = options();
  part.shard = Shard{1, 1000};
  while (part.shard->holds("case_a") || part.shard->holds("case_b") ||
         part.shard->holds("case_c")) {
    part.shard->index += 1;
  }
  const PredictOutcome outcome = run(part);
  EXPECT_EQ(outcome.found, 0);
  EXPECT_EQ(outcome.exit_code, ExitCode::kSuccess);
  EXPECT_EQ(behaviour_->loads, 0);
}

}  // namespace
}  // namespace mcvol
