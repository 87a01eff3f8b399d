#include "mcvol/analysis/calibrate.h"

#include "mcvol/analysis/calibration_use.h"
#include "mcvol/analysis/tabulate.h"
#include "mcvol/calibration/coverage.h"
#include "mcvol/files/csv.h"
#include "mcvol/files/text_file.h"

#include <algorithm>

#include "analysis/calibrate_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using testing::Calibrate;
using testing_support::message_from;
using testing_support::write_text;

TEST_F(Calibrate, SaysWhatIsPromised) {
  const CalibrateReport report = calibrate(options());
  EXPECT_EQ(report.scans, 60u);
  ASSERT_EQ(report.strata.size(), 2u);
  const StratumReport& whole = report.strata[0];
  EXPECT_EQ(whole.region, "whole");
  EXPECT_EQ(whole.n, 60);
  EXPECT_EQ(whole.rank, 3);
  EXPECT_DOUBLE_EQ(whole.expected_coverage, 1 - 6.0 / 61);
  EXPECT_GT(whole.coverage_range.lower, 0.8);
  EXPECT_EQ(whole.raw.n, 60);
  EXPECT_EQ(whole.cross_validated.n, 60);
  EXPECT_GT(whole.cross_validated.mean_width_ml, 0);
  EXPECT_TRUE(report.notes.empty());
  EXPECT_TRUE(report.left_out.empty());
}

TEST_F(Calibrate, FileReadsBackAsTheSameCalibration) {
  const CalibrationFile made = calibrate(options()).calibration;
  const CalibrationFile read = read_calibration_file(folder("calibration.json"));
  EXPECT_EQ(read.sha256, made.sha256);
  EXPECT_EQ(read.scans.size(), 60u);
  EXPECT_EQ(read.identity, testing::synthetic_identity());
  EXPECT_EQ(write_calibration_file(read, folder("again.json")), made.sha256);
  EXPECT_EQ(read.region("core").strata.front().n(), 60);
  EXPECT_GT(read.region("core").most_usual_width, 0);
  EXPECT_THROW(read.region("oedema"), CalibrationError);
}

TEST_F(Calibrate, ThreadsChangeNoByte) {
  CalibrateOptions one = options();
  one.threads = 1;
  EXPECT_EQ(calibrate(one).calibration.sha256, calibrate(options()).calibration.sha256);
}

TEST_F(Calibrate, DamagedFileIsNamedWithItsField) {
  calibrate(options());
  nlohmann::json whole = nlohmann::json::parse(read_file(folder("calibration.json")));
  const auto message_with = [&](const std::function<void(nlohmann::json&)>& change) {
    nlohmann::json changed = whole;
    change(changed);
    write_text(folder("changed.json"), changed.dump());
    return message_from<CalibrationError>([&] { read_calibration_file(folder("changed.json")); });
  };
  const std::string file = folder("changed.json").string();
  EXPECT_EQ(message_with([](auto& json) { json["format"] = 9; }),
            file + ": format: 9 is newer than this mcvol reads (2); update mcvol");
  EXPECT_EQ(
      message_with([](auto& json) { json["method"] = "size_only"; }),
      file +
          ": method: expected \"regression\", \"scaled\", \"conformal\" or \"quantile\", found "
          "\"size_only\"");
  EXPECT_NE(message_with([](auto& json) { json["extra"] = 1; }), "");
  EXPECT_NE(message_with([](auto& json) {
              json["regions"][0]["strata"][0]["fits"]["conformal"][0]["scores"][0] = 1e9;
            }).find("regions[0].strata[0].fits.conformal"),
            std::string::npos);
  EXPECT_NE(message_with([](auto& json) {
              json["method"] = "regression";
              json["regions"][1]["strata"][0].erase("regression");
            }).find("regions: expected what the method regression takes, in all strata of core"),
            std::string::npos);
  EXPECT_NE(message_with([](auto& json) {
              json["regions"][0]["strata"][0]["regression"]["scans"].erase(0);
            }).find("regions[0].strata[0].regression.scans: expected 60"),
            std::string::npos);
  EXPECT_NE(message_with([](auto& json) {
              json["regions"][0]["strata"][0]["regression"]["scans"][2]["features"][0] = -1;
            }).find("regression.scans: regression: expected numbers of every scan from 0"),
            std::string::npos);
  EXPECT_NE(message_with([](auto& json) {
              json["regions"][1]["strata"][0]["regression"]["features"][2] = "softness";
            }).find("regions[1].strata[0].regression.features: expected"),
            std::string::npos);
  EXPECT_NE(message_with([](auto& json) {
              json["regions"][0]["strata"][0]["regression"]["scans"][7]["features"].erase(0);
            }).find("regression.scans[7].features: expected 14 numbers"),
            std::string::npos);
  EXPECT_NE(message_with([](auto& json) {
              json["regions"][0]["strata"][0]["from_ml"] = 3;
            }).find("ascend from 0"),
            std::string::npos);
  write_text(folder("record.json"), "{\"format\": 1, \"case_id\": \"a\"}");
  EXPECT_NE(message_from<CalibrationError>([&] {
              read_calibration_file(folder("record.json"));
            }).find("no calibration"),
            std::string::npos);
}

TEST_F(Calibrate, StrataNeedFiftyReferencesEach) {
  CalibrateOptions narrow = options();
  narrow.strata_ml = {5};
  const std::string message = message_from<CalibrationError>([&] { calibrate(narrow); });
  EXPECT_NE(message.find("expected at least 50"), std::string::npos) << message;
  EXPECT_FALSE(fs::exists(folder("calibration.json")));
}

TEST_F(Calibrate, OneScanOfAPatientCounts) {
  std::string groups = "case_id,group\n";
  for (int n = 0; n < kReferences; ++n) {
    groups += "scan_" + std::to_string(n) + ",patient_" + std::to_string(n / 2) + "\n";
  }
  write_text(folder("groups.csv"), groups);
  CalibrateOptions grouped = options();
  grouped.groups = folder("groups.csv");
  const CalibrateReport report = calibrate(grouped);
  EXPECT_EQ(report.scans, 30u);
  EXPECT_EQ(report.strata[0].n, 30);
  // Scans of the same patients are no news to it.
  EXPECT_EQ(report.calibration.scans.size(), 60u);
}

TEST_F(Calibrate, BlanksAroundAGroupDoNotMatter) {
  write_text(folder("groups.csv"), "case_id,group\nscan_1, a\nscan_2,a \n,\n");
  CalibrateOptions grouped = options();
  grouped.groups = folder("groups.csv");
  EXPECT_EQ(calibrate(grouped).scans, 59u);
}

TEST_F(Calibrate, GroupsThatNameNoCaseAreRefused) {
  CalibrateOptions grouped = options();
  grouped.groups = folder("groups.csv");
  write_text(folder("groups.csv"), "case_id,group\nscan_1.nii.gz,a\n");
  EXPECT_NE(message_from<UsageError>([&] { calibrate(grouped); }).find("names none of the 60"),
            std::string::npos);
  write_text(folder("groups.csv"), "case_id,group\nscan_1,\n");
  EXPECT_NE(message_from<UsageError>([&] { calibrate(grouped); }).find("has no group"),
            std::string::npos);
  write_text(folder("groups.csv"), "case_id,group\nscan_1,a\nscan_2,a\n");
  const auto notes = calibrate(grouped).notes;
  EXPECT_NE(std::find(notes.begin(), notes.end(),
                      "58 case(s) without a group count as patients of their own"),
            notes.end());
}

TEST_F(Calibrate, SomebodysOwnCalibrationIsNeitherWrittenNorRemoved) {
  CalibrateOptions into = options();
  into.output = folder("results") / "calibration.json";
  EXPECT_THROW(calibrate(into), UsageError);
  write_text(folder("results") / "calibration.json", "{}");
  const std::string message =
      message_from<UsageError>([&] { keep_calibration(nullptr, {}, folder("results")); });
  EXPECT_NE(message.find("not the calibration of this table"), std::string::npos) << message;
  EXPECT_TRUE(fs::exists(folder("results") / "calibration.json"));
}

TEST_F(Calibrate, QuantilePromisesLess) {
  CalibrateOptions quantile = options();
  quantile.method = IntervalMethod::kQuantile;
  const CalibrateReport report = calibrate(quantile);
  EXPECT_DOUBLE_EQ(report.strata[0].expected_coverage, 0.9 * 59 / 61);
  EXPECT_EQ(report.strata[0].rank, 0);
}

TEST(OneCasePerGroup, KeepsTheSameOneWhateverTheOrder) {
  const std::map<std::string, std::string> groups{{"a", "x"}, {"b", "x"}, {"c", "x"}, {"d", "y"}};
  const auto kept = one_case_per_group({"a", "b", "c", "d", "e"}, groups);
  EXPECT_EQ(kept.size(), 3u);
  EXPECT_EQ(kept, one_case_per_group({"e", "c", "d", "b", "a"}, groups));
}

TEST_F(Calibrate, ReferencesWithoutACaseInCommonAreRefused) {
  write_text(folder("other.csv"), "case_id,region,volume_ml\nnobody,whole,3\n");
  CalibrateOptions other = options();
  other.references.path = folder("other.csv");
  EXPECT_NE(message_from<UsageError>([&] { calibrate(other); }).find("no measured case"),
            std::string::npos);
}

TEST_F(Calibrate, PlanNamesTheLeastNumberOfReferences) {
  const auto rows = plan_references(parse_levels({"0.9", "0.95"}));
  EXPECT_EQ(rows.front().n, 19);
  EXPECT_EQ(rows.front().rank, 1);
  EXPECT_DOUBLE_EQ(rows.front().expected_coverage, 0.9);
  const auto of_95 = std::find_if(rows.begin(), rows.end(),
                                  [](const PlanRow& row) { return row.level.text == "0.95"; });
  EXPECT_EQ(of_95->n, 39);
  for (const PlanRow& row : rows) EXPECT_LT(row.coverage_range.lower, row.coverage_range.upper);
}

TEST_F(Calibrate, IntervalsOfOtherRunsAreRefusedNamingTheField) {
  calibrate(options());
  nlohmann::json other = testing::synthetic_identity();
  other["passes"] = 20;
  const std::string message = message_from<CalibrationError>(
      [&] { read_calibration_for(folder("calibration.json"), other, parse_levels({"0.9"})); });
  EXPECT_NE(message.find("made with passes 3, these passes have 20"), std::string::npos) << message;
}

TEST_F(Calibrate, AnotherSeedIsAFlag) {
  calibrate(options());
  testing::write_synthetic_results(folder("tests"), test_scans_, 7);
  TabulateOptions table;
  table.results = folder("tests");
  table.calibration = {CalibrationChoice::Kind::kFile, folder("calibration.json")};
  const Tabulation tabulation = tabulate(table);
  EXPECT_NE(tabulation.csv().find("other_seed"), std::string::npos);
  EXPECT_EQ(tabulation.notes.size(), 1u);
}

TEST_F(Calibrate, LevelThatTheReferencesDoNotReachIsRefused) {
  calibrate(options());
  const std::string message = message_from<CalibrationError>([&] {
    read_calibration_for(folder("calibration.json"), testing::synthetic_identity(),
                         parse_levels({"0.99"}));
  });
  EXPECT_NE(message.find("has 60 references in a stratum, level 0.99 takes 199"), std::string::npos)
      << message;
}

TEST_F(Calibrate, TableHasTheCalibratedNumbersAndSaysSoInItsFlags) {
  CalibrateOptions simulated = options();
  simulated.simulated = true;
  const CalibrationFile calibration = calibrate(simulated).calibration;
  testing::write_synthetic_results(folder("tests"), test_scans_);
  TabulateOptions table;
  table.results = folder("tests");
  table.calibration = {CalibrationChoice::Kind::kFile, folder("calibration.json")};
  table.levels = parse_levels({"0.8"});
  const Tabulation tabulation = tabulate(table);
  EXPECT_TRUE(tabulation.calibration);
  const CsvTable csv = parse_csv(tabulation.csv(), "volumes.csv");
  ASSERT_EQ(csv.records.size(), 80u);
  const auto field = [&](const char* name) { return csv.records[0].fields[*csv.column(name)]; };
  const testing::SyntheticScan& scan = *std::find_if(
      test_scans_.begin(), test_scans_.end(),
      [&](const testing::SyntheticScan& one) { return one.case_id == field("case_id"); });
  const RegionPrediction prediction{scan.case_id, "whole", scan.passes, {}, 0.008};
  const VolumeEstimate estimate = estimate_volume(prediction, calibration.region("whole"),
                                                  IntervalMethod::kConformal, table.levels);
  EXPECT_NEAR(std::stod(field("volume_ml")), estimate.median_ml, 6e-4);
  EXPECT_NEAR(std::stod(field("lower_ml")), estimate.intervals[0].lower_ml, 6e-4);
  EXPECT_NEAR(std::stod(field("upper_ml")), estimate.intervals[0].upper_ml, 6e-4);
  EXPECT_EQ(field("calibration"), calibration.sha256.substr(0, 8));
  EXPECT_NE(field("flags").find("simulated_calibration"), std::string::npos);
  EXPECT_EQ(field("flags").find("uncalibrated"), std::string::npos);
}

TEST_F(Calibrate, UnreadableRecordIsNamedAndTheOthersAreInTheTable) {
  write_text(case_record_path(folder("results"), "broken"), "{");
  TabulateOptions table;
  table.results = folder("results");
  const Tabulation tabulation = tabulate(table);
  ASSERT_EQ(tabulation.unreadable.size(), 1u);
  EXPECT_NE(tabulation.unreadable[0].find("broken.json, line 1, "), std::string::npos);
  EXPECT_EQ(tabulation.rows_by_case.size(), static_cast<std::size_t>(kReferences));
}

TEST_F(Calibrate, SamplerChangesTheRawColumnsOnly) {
  TabulateOptions table;
  table.results = folder("results");
  table.sampler = SamplerOptions{Sampler::kThreshold, 1};
  const Tabulation tabulation = tabulate(table);
  EXPECT_NE(tabulation.csv().find("other_sampler;uncalibrated"), std::string::npos);
  table.calibration = {CalibrationChoice::Kind::kFile, folder("calibration.json")};
  calibrate(options());
  EXPECT_THROW(tabulate(table), UsageError);
}

}  // namespace
}  // namespace mcvol
