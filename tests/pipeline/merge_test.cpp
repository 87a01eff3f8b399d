#include "mcvol/pipeline/merge.h"

#include "mcvol/analysis/run_identity.h"
#include "mcvol/files/text_file.h"
#include "mcvol/io/records/calibration_file.h"
#include "mcvol/io/records/run_file.h"
#include "mcvol/io/records/run_lock.h"
#include "mcvol/io/records/thumbnail.h"
#include "mcvol/pipeline/shard.h"

#include <fstream>
#include <map>
#include <memory>
#include <thread>

#include "io/records/result_fixtures.h"
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace mcvol {
namespace {

using namespace testing_support;
namespace fs = std::filesystem;

nlohmann::json identity_with(int passes) {
  return {{"networks", {"n"}}, {"scope", "channel"}, {"passes", passes}};
}

std::string usual_identity() { return sha256_of_identity(identity_with(5)); }

CaseRecord measured(const std::string& case_id) {
  // Another volume for each case, so that a row in the wrong place shows.
  CaseRecord record = measured_record(case_id, usual_identity());
  record.regions[0].mean = sharp_histogram(shard_of(case_id, 5000), kSyntheticVoxels);
  return record;
}

CaseRecord failed(const std::string& case_id) { return failed_record(case_id, usual_identity()); }

RunFile run_file(int found, const nlohmann::json& identity) {
  RunFile run;
  run.state = RunFile::State::kComplete;
  run.found = found;
  run.done = found;
  run.version = "0.1.0";
  run.device = "cpu";
  run.levels = {"0.9"};
  run.identity = identity;
  run.options = {{"passes", 5}};
  run.timings_s = {{"network", 2.0}};
  run.started = "2026-01-02T00:00:00Z";
  run.ended = "2026-01-02T01:00:00Z";
  return run;
}

/// A result folder as a finished run leaves it.
void write_results(const fs::path& folder, const std::vector<CaseRecord>& records) {
  VolumeTable table(parse_levels({"0.9"}));
  for (const CaseRecord& record : records) {
    write_case_record(record, case_record_path(folder, record.case_id));
    table.put(record);
  }
  write_run_file(run_file(static_cast<int>(records.size()), identity_with(5)), folder);
  table.write(folder);
}

std::vector<CaseRecord> twelve_cases() {
  std::vector<CaseRecord> records;
  for (int n = 0; n < 12; ++n) {
    const std::string case_id = "case_" + std::to_string(n);
    records.push_back(n % 5 == 3 ? failed(case_id) : measured(case_id));
  }
  return records;
}

/// The same cases as `count` shards under `out`.
void write_shards(const fs::path& out, const std::vector<CaseRecord>& records, int count) {
  for (int index = 1; index <= count; ++index) {
    std::vector<CaseRecord> of_shard;
    for (const CaseRecord& record : records) {
      if (shard_of(record.case_id, count) == index) of_shard.push_back(record);
    }
    write_results(shard_folder(out, {index, count}), of_shard);
  }
}

/// Every file of a folder and its bytes, but for the lock and the shards.
std::map<std::string, std::string> contents_of(const fs::path& folder) {
  std::map<std::string, std::string> contents;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const std::string name = fs::relative(entry.path(), folder).string();
    if (!entry.is_regular_file() || name == ".lock" || name.rfind("shards", 0) == 0) continue;
    contents[name] = text_of_file(entry.path());
  }
  return contents;
}

void expect_part(const std::string& message, const std::string& part) {
  EXPECT_NE(message.find(part), std::string::npos) << "found: " << message;
}

class MergeResults : public testing::Test {
 protected:
  fs::path folder(const std::string& name) const { return temporary_.path() / name; }
  MergeReport merge(const std::vector<std::string>& sources, const std::string& out) const {
    MergeOptions options;
    for (const std::string& source : sources) options.sources.push_back(folder(source));
    options.out = folder(out);
    return merge_results(options);
  }
  template <typename Kind = UsageError>
  std::string refusal(const std::vector<std::string>& sources, const std::string& out) const {
    return message_from<Kind>([&] { merge(sources, out); });
  }

  TemporaryFolder temporary_;
};

/// A calibration of both regions for level 0.5, with these scores.
void write_calibration(const fs::path& folder, double least_score) {
  CalibrationFile calibration;
  calibration.identity = identity_with(5);
  for (const char* name : {"whole", "core"}) {
    RegionCalibration region;
    region.region = name;
    region.width_level = NominalCoverage::parse("0.5");
    region.most_usual_width = 9;
    region.most_predicted_ml = 9;
    region.strata.resize(1);
    for (const FitKind kind : kFitKinds) {
      const std::vector<ConformalFit::Candidate> one{{0.5, 1.0, {least_score, 0.1, 1.0}}};
      region.strata[0].fits.emplace_back(kind, ConformalFit(score_kind_of(kind), one));
    }
    calibration.regions.push_back(std::move(region));
  }
  write_calibration_file(calibration, folder / "calibration.json");
}

TEST_F(MergeResults, CalibrationOfTheShardsGoesWithThem) {
  write_shards(folder("out"), twelve_cases(), 2);
  for (int index : {1, 2}) write_calibration(shard_folder(folder("out"), {index, 2}), -1.0);
  merge_results({{folder("out")}, folder("merged"), parse_levels({"0.5"})});
  const std::string table = text_of_file(folder("merged") / "volumes.csv");
  EXPECT_EQ(table.find("uncalibrated"), std::string::npos) << table;
  EXPECT_EQ(text_of_file(folder("merged") / "calibration.json"),
            text_of_file(shard_folder(folder("out"), {1, 2}) / "calibration.json"));
}

TEST_F(MergeResults, DifferentCalibrationsAreRefused) {
  write_shards(folder("out"), twelve_cases(), 2);
  write_calibration(shard_folder(folder("out"), {1, 2}), -1.0);
  expect_part(refusal({"out"}, "merged"), "have different calibrations");
  write_calibration(shard_folder(folder("out"), {2, 2}), -2.0);
  expect_part(refusal({"out"}, "merged"), "have different calibrations");
  EXPECT_FALSE(fs::exists(folder("merged") / "volumes.csv"));
}

TEST_F(MergeResults, ShardsMergedIntoTheirParentAreTheBytesOfOneRun) {
  const std::vector<CaseRecord> records = twelve_cases();
  write_results(folder("single"), records);
  write_shards(folder("out"), records, 4);
  const MergeReport report = merge({"out"}, "out");
  EXPECT_TRUE(report.complete);
  EXPECT_TRUE(report.notes.empty());
  EXPECT_EQ(report.sources, 4);
  EXPECT_EQ(report.done, 10);
  EXPECT_EQ(report.failed, 2);
  auto single = contents_of(folder("single"));
  auto merged = contents_of(folder("out"));
  single.erase("run.json");
  merged.erase("run.json");
  EXPECT_EQ(merged, single);
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
  EXPECT_EQ(report.warnings[0].find("x: merged without its picture: "), 0u) << report.warnings[0];
  EXPECT_FALSE(fs::exists(thumbnail_path(folder("out"), "x")));
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

TEST_F(MergeResults, RunFileSumsUpTheSources) {
  write_results(folder("a"), {measured("a1"), measured("a2")});
  RunFile second = run_file(3, identity_with(5));
  second.device = "cuda:0";
  second.timings_s = {{"network", 2.5}, {"suffix", nullptr}, {"read", 1.0}};
  second.levels = {"0.95", "0.9"};
  second.options = {{"passes", 5}, {"shard", "1/2"}};
  second.started = "2026-01-01T00:00:00Z";
  write_results(folder("b"), {measured("b1"), measured("b2"), failed("b3")});
  write_run_file(second, folder("b"));
  merge({"a", "b"}, "out");
  const RunFile merged = read_run_file(folder("out")).value();
  EXPECT_EQ(merged.state, RunFile::State::kComplete);
  EXPECT_EQ(merged.found, 5);
  EXPECT_EQ(merged.done, 4);
  EXPECT_EQ(merged.failed, 1);
  EXPECT_EQ(merged.device, "cpu; cuda:0");
  EXPECT_EQ(merged.levels, (std::vector<std::string>{"0.9", "0.95"}));
  EXPECT_EQ(merged.options, (nlohmann::json{{"passes", 5}}));
  EXPECT_EQ(merged.timings_s,
            (nlohmann::json{{"network", 4.5}, {"suffix", nullptr}, {"read", nullptr}}));
  EXPECT_EQ(merged.merged_from, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(merged.started, "2026-01-01T00:00:00Z");
  EXPECT_EQ(merged.ended, "2026-01-02T01:00:00Z");
  EXPECT_EQ(merged.identity, identity_with(5));
}

TEST_F(MergeResults, LevelsAskedForReplaceThoseOfTheRuns) {
  write_results(folder("a"), {measured("a1")});
  merge_results({{folder("a")}, folder("out"), parse_levels({"0.5"})});
  const std::string table = text_of_file(folder("out") / "volumes.csv");
  expect_part(table, "a1,whole,0.5,");
  EXPECT_EQ(table.find("a1,whole,0.9,"), std::string::npos);
}

TEST_F(MergeResults, RunsThatNameNoLevelNeedOne) {
  write_results(folder("a"), {measured("a1")});
  RunFile run = run_file(1, identity_with(5));
  run.levels.clear();
  write_run_file(run, folder("a"));
  EXPECT_EQ(refusal({"a"}, "out"), folder("a").string() +
                                       ": run.json names no level; say which with --level, such "
                                       "as 0.9");
}

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

TEST_F(MergeResults, AnotherRunIdentityIsRefusedNamingTheField) {
  write_results(folder("a"), {measured("a1")});
  write_results(folder("b"), {measured("b1")});
  write_run_file(run_file(1, identity_with(20)), folder("b"));
  EXPECT_EQ(refusal({"a", "b"}, "out"),
            folder("a").string() + " and " + folder("b").string() +
                ": made with passes 5 and 20; only results of one run identity can be merged");
  EXPECT_TRUE(contents_of(folder("out")).empty());
}

TEST_F(MergeResults, OutThatHoldsOtherResultsIsRefused) {
  write_results(folder("a"), {measured("a1")});
  write_run_file(run_file(1, identity_with(20)), folder("other"));
  expect_part(refusal({"a"}, "other"), "made with passes 5 and 20");
  write_case_record(measured("z"), case_record_path(folder("stray"), "z"));
  EXPECT_EQ(refusal({"a"}, "stray"),
            folder("stray").string() +
                ": holds records but no run.json to say what they are; use another --out");
}

TEST_F(MergeResults, OutThatHoldsARunOfItsOwnIsASource) {
  write_results(folder("a"), {measured("a1"), failed("x")});
  write_results(folder("out"), {measured("x"), measured("o1")});
  const MergeReport report = merge({"a"}, "out");
  EXPECT_EQ(report.sources, 2);
  EXPECT_EQ(report.done, 3);
  EXPECT_EQ(report.failed, 0);
  EXPECT_EQ(recorded_case_ids(folder("out")), (std::vector<std::string>{"a1", "o1", "x"}));
  EXPECT_EQ(merge({"a"}, "out").done, 3);
}

TEST_F(MergeResults, OutThatIsOneOfTheSourcesIsRefused) {
  write_results(folder("a"), {measured("a1")});
  write_results(folder("b"), {measured("b1")});
  const auto before = contents_of(folder("a"));
  expect_part(refusal({"a", "b"}, "a"),
              "a: one of the results that are merged; merge into another");
  EXPECT_EQ(contents_of(folder("a")), before);
  merge({"a"}, "out");
  EXPECT_EQ(merge({"out", "b"}, "out").done, 2);
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

TEST_F(MergeResults, FoldersWithoutResultsAreRefused) {
  EXPECT_EQ(refusal({"missing"}, "out"),
            folder("missing").string() + ": no such folder; expected a result folder");
  fs::create_directories(folder("empty"));
  EXPECT_EQ(refusal({"empty"}, "out"),
            folder("empty").string() +
                ": no run.json; expected a result folder as mcvol predict writes it");
  EXPECT_EQ(refusal({}, "out"), "nothing to merge: name at least one result folder");
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

TEST_F(MergeResults, WhatAKilledMergeLeftHalfWrittenIsCleared) {
  write_results(folder("a"), {measured("case_1")});
  const fs::path left = folder("out/cases/.case_1.json.tmp-123-4");
  fs::create_directories(left.parent_path());
  std::ofstream(left) << "{";
  merge({"a"}, "out");
  EXPECT_FALSE(fs::exists(left));
}

TEST_F(MergeResults, RunThatWasCutShortIsMergedWithANote) {
  write_results(folder("a"), {measured("a1"), measured("a2")});
  RunFile killed = run_file(10, identity_with(5));
  killed.state = RunFile::State::kRunning;
  killed.done = 0;
  write_run_file(killed, folder("a"));
  const MergeReport report = merge({"a"}, "out");
  EXPECT_EQ(report.notes, (std::vector<std::string>{folder("a").string() +
                                                    ": its run was cut short; run it again to "
                                                    "finish"}));
  const RunFile merged = read_run_file(folder("out")).value();
  EXPECT_EQ(merged.found, 10);
  EXPECT_EQ(merged.done, 2);
}

TEST_F(MergeResults, RecordsThatCannotBeUsedAreLeftOutAndNamed) {
  write_results(folder("a"), {measured("a1"), measured("a2")});
  write_text(case_record_path(folder("a"), "a2"), "{");
  write_case_record(measured_record("old"), case_record_path(folder("a"), "old"));
  const MergeReport report = merge({"a"}, "out");
  EXPECT_EQ(report.done, 1);
  EXPECT_FALSE(report.complete);
  ASSERT_EQ(report.notes.size(), 2u);
  expect_part(report.notes[0], "a2.json: ");
  expect_part(report.notes[0], "; left out: measure the case again");
  expect_part(report.notes[1], "old.json: left out: made under another run identity");
  EXPECT_EQ(recorded_case_ids(folder("out")), std::vector<std::string>{"a1"});
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

TEST_F(MergeResults, EmptyShardsMergeIntoAnEmptyTable) {
  write_shards(folder("out"), {}, 2);
  const MergeReport report = merge({"out"}, "out");
  EXPECT_TRUE(report.complete);
  EXPECT_EQ(text_of_file(folder("out") / "volumes.csv"), volume_csv_header());
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
