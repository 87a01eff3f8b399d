#include "mcvol/files/text_file.h"
#include "mcvol/io/records/calibration_file.h"
#include "mcvol/pipeline/shard.h"

#include "pipeline/merge/merge_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using namespace testing_support;
namespace fs = std::filesystem;

/// A calibration of both regions for level 0.5, with these scores.
void write_calibration(const fs::path& folder, double least_score) {
  CalibrationFile calibration;
  calibration.method = IntervalMethod::kScaled;
  calibration.identity = identity_with(5);
  for (const char* name : {"whole", "core"}) {
    RegionCalibration region;
    region.region = name;
    region.width_level = NominalCoverage::parse("0.5");
    region.most_usual_width = 9;
    region.most_predicted_ml = 9;
    region.strata.resize(1);
    for (const ScoreKind kind : kScoreKinds) {
      const std::vector<ConformalFit::Candidate> one{{0.5, 1.0, {least_score, 0.1, 1.0}}};
      region.strata[0].fits.emplace_back(kind, ConformalFit(kind, one));
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

TEST_F(MergeResults, LimitsOfTheQualityThatDifferAreNotKeptAndSaid) {
  const auto with_quality = [&](const std::string& name, double quality) {
    write_results(folder(name), {measured(name)});
    RunFile run = read_run_file(folder(name)).value();
    run.options["quality"] = quality;
    write_run_file(run, folder(name));
  };
  with_quality("a", 0.7);
  with_quality("b", 0.7);
  EXPECT_TRUE(merge({"a", "b"}, "out").warnings.empty());
  EXPECT_EQ(read_run_file(folder("out")).value().options.value("quality", 0.0), 0.7);
  with_quality("b", 0.8);
  const MergeReport report = merge({"a", "b"}, "out");
  ASSERT_EQ(report.warnings.size(), 1u);
  EXPECT_EQ(report.warnings[0].find("the folders were measured with different --quality"), 0u);
  EXPECT_FALSE(read_run_file(folder("out")).value().options.contains("quality"));
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
  expect_part(refusal({"a"}, "other"), "other: holds a run that is none of those merged");
  write_case_record(measured("z"), case_record_path(folder("stray"), "z"));
  EXPECT_EQ(refusal({"a"}, "stray"),
            folder("stray").string() +
                ": holds records but no run.json to say what they are; use another --out");
}

TEST_F(MergeResults, OutThatHoldsARunOfItsOwnIsRefused) {
  write_results(folder("a"), {measured("a1"), failed("x")});
  write_results(folder("out"), {measured("x"), measured("o1")});
  const auto before = contents_of(folder("out"));
  EXPECT_EQ(refusal({"a"}, "out"),
            folder("out").string() +
                ": holds a run that is none of those merged; merge into another folder");
  EXPECT_EQ(contents_of(folder("out")), before);
}

TEST_F(MergeResults, OutThatHoldsFilesOfOthersIsRefused) {
  write_results(folder("a"), {measured("a1")});
  write_file_atomically(folder("out") / "volumes.csv", "mine\n");
  expect_part(refusal({"a"}, "out"), "volumes.csv: not written by a run of mcvol");
  EXPECT_EQ(text_of_file(folder("out") / "volumes.csv"), "mine\n");
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

TEST_F(MergeResults, FoldersWithoutResultsAreRefused) {
  EXPECT_EQ(refusal({"missing"}, "out"),
            folder("missing").string() + ": no such folder; expected a result folder");
  fs::create_directories(folder("empty"));
  EXPECT_EQ(refusal({"empty"}, "out"),
            folder("empty").string() +
                ": no run.json; expected a result folder as mcvol predict writes it");
  EXPECT_EQ(refusal({}, "out"), "nothing to merge: name at least one result folder");
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

}  // namespace
}  // namespace mcvol
