#include "mcvol/io/records/run_lock.h"

#include <memory>

#include "pipeline/merge/merge_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using namespace testing_support;
namespace fs = std::filesystem;

// That they are merged to the bytes of one run is Predict.MergedShardsGiveTheSameTable's to show.
TEST_F(MergeResults, ReportCountsShardsAndTheirCases) {
  write_shards(folder("out"), twelve_cases(), 4);
  const MergeReport report = merge({"out"}, "out");
  EXPECT_TRUE(report.complete);
  EXPECT_TRUE(report.notes.empty());
  EXPECT_EQ(report.sources, 4);
  EXPECT_EQ(report.done, 10);
  EXPECT_EQ(report.failed, 2);
}

TEST_F(MergeResults, OrderOfTheFoldersChangesNoRecordAndNoTable) {
  write_shards(folder("in"), twelve_cases(), 3);
  merge({"in/shards/1-of-3", "in/shards/2-of-3", "in/shards/3-of-3"}, "a");
  merge({"in/shards/3-of-3", "in/shards/1-of-3", "in/shards/2-of-3"}, "b");
  EXPECT_EQ(contents_of(folder("a")), contents_of(folder("b")));
}

TEST_F(MergeResults, MergingAgainChangesNothing) {
  write_shards(folder("out"), twelve_cases(), 2);
  merge({"out"}, "out");
  const auto once = contents_of(folder("out"));
  const MergeReport again = merge({"out"}, "out");
  EXPECT_TRUE(again.complete);
  EXPECT_EQ(again.sources, 2);
  EXPECT_EQ(contents_of(folder("out")), once);
}

TEST_F(MergeResults, MissingShardsAreReported) {
  write_shards(folder("in"), twelve_cases(), 4);
  fs::remove_all(folder("in/shards/2-of-4"));
  fs::remove(folder("in/shards/4-of-4/run.json"));
  MergeReport report = merge({"in"}, "out");
  EXPECT_FALSE(report.complete);
  EXPECT_EQ(
      report.notes,
      (std::vector<std::string>{
          folder("in").string() +
          ": shards are missing: 2-of-4, 4-of-4; the table is without, run it and merge again"}));
  EXPECT_EQ(read_run_file(folder("out"))->state, RunFile::State::kInterrupted);
  report = merge({"in/shards/1-of-4"}, "out");
  EXPECT_EQ(report.notes,
            (std::vector<std::string>{"shards are missing: 2-of-4, 3-of-4, 4-of-4; the table is "
                                      "without, run it and merge again"}));
}

TEST_F(MergeResults, ShardsOfOneSplitMayLieInSeveralFolders) {
  write_shards(folder("s1"), twelve_cases(), 3);
  write_shards(folder("s2"), twelve_cases(), 3);
  fs::remove_all(folder("s1/shards/2-of-3"));
  for (const char* name : {"s2/shards/1-of-3", "s2/shards/3-of-3"}) fs::remove_all(folder(name));
  EXPECT_FALSE(merge({"s1"}, "half").complete);
  const MergeReport whole = merge({"s1", "s2"}, "out");
  EXPECT_TRUE(whole.complete) << whole.notes.front();
  EXPECT_EQ(whole.sources, 3);
  EXPECT_EQ(whole.done, 10);
  EXPECT_TRUE(merge({"s1", "s2/shards/2-of-3"}, "out").complete);
  fs::remove_all(folder("s1/shards/3-of-3"));
  EXPECT_EQ(
      merge({"s1", "s2"}, "third").notes,
      (std::vector<std::string>{"a shard is missing: 3-of-3; the table is without, run it and "
                                "merge again"}));
}

TEST_F(MergeResults, EmptyShardsMergeIntoAnEmptyTable) {
  write_shards(folder("out"), {}, 2);
  const MergeReport report = merge({"out"}, "out");
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(text_of_file(folder("out") / "volumes.csv"), volume_csv_header());
}

TEST_F(MergeResults, RunningSourcesAndAHeldOutAreRefused) {
  write_shards(folder("in"), twelve_cases(), 2);
  auto lock = std::make_unique<RunLock>(folder("in/shards/2-of-2"));
  expect_part(refusal<FolderLockedError>({"in"}, "out"),
              folder("in/shards/2-of-2").string() + ": held by mcvol process ");
  lock = std::make_unique<RunLock>(folder("out"));
  expect_part(refusal<FolderLockedError>({"in"}, "out"),
              folder("out").string() + ": held by mcvol process ");
  lock.reset();
  EXPECT_TRUE(merge({"in"}, "out").complete);
}

TEST_F(MergeResults, FolderNamedTwiceCountsOnce) {
  write_results(folder("a"), {measured("a1")});
  const MergeReport report = merge({"a", "./a/"}, "out");
  EXPECT_EQ(report.sources, 1);
  EXPECT_EQ(read_run_file(folder("out"))->found, 1);
}

TEST_F(MergeResults, SaysNothingOfWhereTheFoldersLay) {
  write_shards(folder("out"), twelve_cases(), 2);
  merge({"out"}, "out");
  for (const auto& [name, text] : contents_of(folder("out"))) {
    EXPECT_EQ(text.find(temporary_.path().string()), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace mcvol
