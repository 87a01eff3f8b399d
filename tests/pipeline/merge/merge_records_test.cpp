#include "mcvol/analysis/run_identity.h"
#include "mcvol/files/text_file.h"
#include "mcvol/io/records/thumbnail.h"

#include <fstream>
#include <thread>

#include "calibration/synthetic_scans.h"
#include "pipeline/merge/merge_fixture.h"
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace mcvol {
namespace {

using namespace testing_support;
namespace fs = std::filesystem;

TEST_F(MergeResults, MeasuredBeatsFailedWhicheverComesFirst) {
  write_results(folder("a"), {failed("x"), measured("y")});
  write_results(folder("b"), {measured("x"), failed("y")});
  for (const auto& sources : {std::vector<std::string>{"a", "b"}, {"b", "a"}}) {
    const MergeReport report = merge(sources, "out_" + sources.front());
    EXPECT_EQ(report.done, 2);
    EXPECT_EQ(report.failed, 0);
  }
  EXPECT_TRUE(read_case_record(folder("out_a"), "x").same_measurement(measured("x")));
}

TEST_F(MergeResults, TheSameMeasurementTwiceIsTakenOnce) {
  write_results(folder("a"), {measured("x")});
  CaseRecord copied = measured("x");
  copied.inputs[0].mtime_ns += 5;
  write_results(folder("b"), {copied});
  EXPECT_EQ(merge({"a", "b"}, "out").done, 1);
}

/// An earlier version's knows less, and a calibration by regression would not apply to it.
TEST_F(MergeResults, OfTheSameMeasurementTheRecordThatTellsMoreIsTaken) {
  CaseRecord earlier = measured("x");
  for (RegionRecord& region : earlier.regions) region.without_dropout = {region.mean};
  CaseRecord later = earlier;
  for (RegionRecord& region : later.regions) {
    region.agreement = testing::nested_agreement(region.passes);
  }
  write_results(folder("a"), {earlier});
  write_results(folder("b"), {later});
  for (const auto& sources : {std::vector<std::string>{"a", "b"}, {"b", "a"}}) {
    const std::string out = "out_" + sources.front();
    EXPECT_EQ(merge(sources, out).done, 1);
    EXPECT_EQ(read_case_record(folder(out), "x").regions[0].agreement, later.regions[0].agreement);
  }
}

TEST_F(MergeResults, TwoMeasurementsThatDifferAreRefusedBeforeAnythingIsWritten) {
  write_results(folder("a"), {measured("a1"), measured("x")});
  CaseRecord other = measured("x");
  other.inputs[0].sha256 = std::string(64, 'd');
  write_results(folder("b"), {other});
  EXPECT_EQ(refusal({"a", "b"}, "out"), "x: measured differently in " + folder("a").string() +
                                            " and " + folder("b").string() +
                                            "; remove the record of one of them");
  EXPECT_TRUE(contents_of(folder("out")).empty());
}

TEST_F(MergeResults, EarlierMergeIsBroughtUpToDate) {
  write_results(folder("a"), {measured("x"), measured("y")});
  merge({"a"}, "out");
  CaseRecord remeasured = measured("x");
  remeasured.inputs[0].sha256 = std::string(64, 'd');
  write_results(folder("a"), {remeasured});
  EXPECT_EQ(merge({"a"}, "out").done, 2);
  EXPECT_TRUE(read_case_record(folder("out"), "x").same_measurement(remeasured));
}

TEST_F(MergeResults, SliceOfTheRecordTakenGoesWithItAndNoOther) {
  write_results(folder("a"), {failed("x"), measured("y")});
  write_results(folder("b"), {measured("x"), failed("y")});
  write_file_atomically(thumbnail_path(folder("a"), "x"), "of no record taken");
  write_file_atomically(thumbnail_path(folder("b"), "x"), "x of b");
  write_file_atomically(thumbnail_path(folder("a"), "y"), "y of a");
  merge({"a", "b"}, "out");
  EXPECT_EQ(text_of_file(thumbnail_path(folder("out"), "x")), "x of b");
  EXPECT_EQ(text_of_file(thumbnail_path(folder("out"), "y")), "y of a");
  fs::remove(thumbnail_path(folder("b"), "x"));
  EXPECT_TRUE(merge({"a", "b"}, "out").warnings.empty());
  EXPECT_FALSE(fs::exists(thumbnail_path(folder("out"), "x")));
  EXPECT_EQ(text_of_file(thumbnail_path(folder("out"), "y")), "y of a");
}

TEST_F(MergeResults, SliceThatCannotBeReadIsAWarningAndTheMergeIsWhole) {
  write_results(folder("a"), {measured("x")});
  fs::create_directories(thumbnail_path(folder("a"), "x"));  // a folder in its place
  const MergeReport report = merge({"a"}, "out");
  EXPECT_TRUE(report.complete);
  ASSERT_EQ(report.warnings.size(), 1u);
  EXPECT_EQ(report.warnings[0].find("x: merged without its slice: "), 0u) << report.warnings[0];
  EXPECT_FALSE(fs::exists(thumbnail_path(folder("out"), "x")));
}

// A pipe in the place of the record gives the second reader other bytes than the first, as a run
// that begins on the source in between would: the merge marks its folder between the two readings.
TEST_F(MergeResults, RecordThatChangesWhileItIsMergedIsReported) {
  write_results(folder("a"), {measured("case_1"), measured("case_2")});
  const fs::path path = case_record_path(folder("a"), "case_1");
  const std::string chosen = text_of_file(path);
  write_case_record(measured_record("case_1", sha256_of_identity(identity_with(6))), path);
  const std::string changed = text_of_file(path);
  fs::remove(path);
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const auto give = [&](const std::string& bytes) { std::ofstream(path) << bytes; };
  std::thread source([&] {
    give(chosen);
    while (!fs::exists(folder("out/run.json"))) std::this_thread::yield();
    give(changed);
  });
  const std::string message = refusal<Error>({"a"}, "out");
  source.join();
  EXPECT_EQ(message, path.string() +
                         ": changed while it was being merged; merge again once its run is over");
  EXPECT_FALSE(fs::exists(folder("out/volumes.csv")));
}

TEST_F(MergeResults, RecordsThatCannotBeUsedAreLeftOutAndNamed) {
  write_results(folder("a"), {measured("a1"), measured("a2")});
  write_text(case_record_path(folder("a"), "a2"), "{");
  write_case_record(measured_record("old"), case_record_path(folder("a"), "old"));
  const MergeReport report = merge({"a"}, "out");
  EXPECT_EQ(report.done, 1);
  EXPECT_FALSE(report.complete);
  ASSERT_EQ(report.notes.size(), 2u);
  expect_part(report.notes[0], "a2.json, line 1, ");
  expect_part(report.notes[0], "; left out: measure the case again");
  expect_part(report.notes[1], "old.json: left out: made under another run identity");
  EXPECT_EQ(recorded_case_ids(folder("out")), std::vector<std::string>{"a1"});
}

TEST_F(MergeResults, WhatAKilledMergeLeftHalfWrittenIsCleared) {
  write_results(folder("a"), {measured("case_1")});
  const fs::path left = folder("out/cases/.case_1.json.tmp-123-4");
  fs::create_directories(left.parent_path());
  std::ofstream(left) << "{";
  merge({"a"}, "out");
  EXPECT_FALSE(fs::exists(left));
}

}  // namespace
}  // namespace mcvol
