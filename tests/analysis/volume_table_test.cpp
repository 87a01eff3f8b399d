#include "mcvol/analysis/volume_table.h"

#include <clocale>
#include <cmath>
#include <limits>

#include "io/records/result_fixtures.h"
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mcvol {
namespace {

using namespace testing_support;

const std::vector<NominalCoverage>& two_levels() {
  static const std::vector<NominalCoverage> levels = parse_levels({"0.9", "0.5"});
  return levels;
}

constexpr const char* kHeader =
    "case_id,region,level,volume_ml,lower_ml,upper_ml,raw_volume_ml,raw_lower_ml,raw_upper_ml,"
    "segmented_ml,passes,status,flags,error,model,calibration,foci,largest_focus_share,"
    "dice,dice_lower\n";

// Five passes that are certain of 1, 2, 3, 4 and 5 ml: the mixture's quantiles are those of five
// equally likely numbers.
TEST(VolumeRows, RawColumnsAreQuantilesOfTheMixtureOverPasses) {
  const std::vector<VolumeRow> rows = rows_of(measured_record("case_01"), two_levels());
  ASSERT_EQ(rows.size(), 4u);
  EXPECT_EQ(rows[0].region, "whole");
  EXPECT_EQ(rows[0].level, "0.5");
  EXPECT_NEAR(rows[0].raw_volume_ml.value(), 3.0, 1e-3);
  EXPECT_NEAR(rows[0].raw_lower_ml.value(), 2.0, 1e-3);
  EXPECT_NEAR(rows[0].raw_upper_ml.value(), 4.0, 1e-3);
  EXPECT_EQ(rows[1].level, "0.9");
  EXPECT_NEAR(rows[1].raw_volume_ml.value(), 3.0, 1e-3);
  EXPECT_NEAR(rows[1].raw_lower_ml.value(), 1.0, 1e-3);
  EXPECT_NEAR(rows[1].raw_upper_ml.value(), 5.0, 1e-3);
  EXPECT_EQ(rows[1].segmented_ml, 2.5);
  EXPECT_EQ(rows[1].passes, 5);
  EXPECT_FALSE(rows[1].volume_ml || rows[1].lower_ml || rows[1].upper_ml);
}

TEST(VolumeRows, VoxelVolumeIsThatOfTheGrid) {
  CaseRecord record = measured_record("case_01");
  record.grid.spacing_mm = {0.5, 2.0, 3.0};
  const std::vector<VolumeRow> rows = rows_of(record, two_levels());
  EXPECT_DOUBLE_EQ(rows[0].segmented_ml.value(), 7.5);
  EXPECT_NEAR(rows[0].raw_volume_ml.value(), 9.0, 3e-3);
}

TEST(VolumeRows, EmptyIsDecidedPerRegion) {
  CaseRecord record = measured_record("case_01");
  record.flags = {"empty", "resampled"};
  const std::vector<VolumeRow> rows = rows_of(record, two_levels());
  EXPECT_EQ(rows[0].flags,
            (std::vector<std::string>{"resampled", "uncalibrated", "wide_raw_interval"}));
  EXPECT_EQ(rows[2].flags, (std::vector<std::string>{"empty", "resampled", "uncalibrated"}));
  EXPECT_EQ(rows[2].segmented_ml, 0.0);
}

TEST(VolumeCsv, HoldsTheColumnsInTheOrderUsersScriptAgainst) {
  VolumeTable table(two_levels());
  table.put(measured_record("case_01"));
  EXPECT_EQ(volume_csv_header(), kHeader);
  EXPECT_EQ(table.csv(),
            kHeader + std::string("case_01,whole,0.5,,,,3.000,2.000,4.000,2.500,5,ok,"
                                  "touches_border;uncalibrated;wide_raw_interval,,bbbbbbbb,,,,,\n"
                                  "case_01,whole,0.9,,,,3.000,1.000,5.000,2.500,5,ok,"
                                  "touches_border;uncalibrated;wide_raw_interval,,bbbbbbbb,,,,,\n"
                                  "case_01,core,0.5,,,,0.000,0.000,0.000,0.000,5,ok,"
                                  "empty;touches_border;uncalibrated,,bbbbbbbb,,,,,\n"
                                  "case_01,core,0.9,,,,0.000,0.000,0.000,0.000,5,ok,"
                                  "empty;touches_border;uncalibrated,,bbbbbbbb,,,,,\n"));
}

TEST(VolumeRows, SayHowManyFociThereAreAndWhichTouchTheBorder) {
  CaseRecord record = measured_record("case_01");
  record.regions[0].segmentation = SegmentationShape{3, 2000, true};
  record.regions[1].segmentation = SegmentationShape{};
  const std::vector<VolumeRow> rows = rows_of(record, two_levels());
  EXPECT_EQ(rows[1].foci, 3);
  EXPECT_EQ(rows[1].largest_focus_share, 0.8);
  EXPECT_EQ(rows[1].flags, (std::vector<std::string>{"touches_border", "tumour_touches_border",
                                                     "uncalibrated", "wide_raw_interval"}));
  EXPECT_EQ(rows[3].foci, 0);
  EXPECT_FALSE(rows[3].largest_focus_share);
  EXPECT_EQ(rows[3].flags, (std::vector<std::string>{"empty", "touches_border", "uncalibrated"}));
  EXPECT_TRUE(to_csv(rows[1]).ends_with(",bbbbbbbb,,3,0.800,,\n"));
  EXPECT_TRUE(to_csv(rows[3]).ends_with(",bbbbbbbb,,0,,,\n"));
  const auto json = nlohmann::json::parse(to_json_line(rows[1]));
  EXPECT_EQ(json["foci"], 3);
  EXPECT_EQ(json["largest_focus_share"], 0.8);
}

TEST(VolumeCsv, FailedCaseIsOneQuotedRow) {
  CaseRecord record = failed_record("case_02");
  record.error = "grids differ: 2,3 and \"4\"";
  VolumeTable table(two_levels());
  table.put(record);
  EXPECT_EQ(table.csv(),
            kHeader + std::string("case_02,,,,,,,,,,,failed,,"
                                  "\"grids differ: 2,3 and \"\"4\"\"\",bbbbbbbb,,,,,\n"));
}

TEST(VolumeCsv, NeverSaysMinusZeroOrNaN) {
  VolumeRow row;
  row.case_id = "a";
  row.status = "ok";
  row.raw_volume_ml = -1e-9;
  row.raw_lower_ml = std::nan("");
  row.raw_upper_ml = std::numeric_limits<double>::infinity();
  row.segmented_ml = 1234567.0005001;
  EXPECT_EQ(to_csv(row), "a,,,,,,0.000,,,1234567.001,,ok,,,,,,,,\n");
}

TEST(VolumeCsv, DoesNotFollowTheLocale) {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  bool found = false;
  for (const char* name : {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR"}) {
    found = found || std::setlocale(LC_ALL, name) != nullptr;
  }
  VolumeRow row;
  row.segmented_ml = 1.5;
  const std::string line = to_csv(row);
  const std::string json = to_json_line(row);
  std::setlocale(LC_ALL, before.c_str());
  if (!found) GTEST_SKIP() << "no locale with a decimal comma installed";
  EXPECT_NE(line.find(",1.500,"), std::string::npos);
  EXPECT_NE(json.find("\"segmented_ml\":1.5,"), std::string::npos);
}

TEST(VolumeJsonLine, HasNullForEmptyAListForFlagsAndFullPrecision) {
  VolumeRow row = rows_of(measured_record("case_01"), two_levels()).at(1);
  row.segmented_ml = 1.0 / 3.0;
  const std::string line = to_json_line(row);
  EXPECT_EQ(line.find('\n'), line.size() - 1);
  const auto json = nlohmann::ordered_json::parse(line);
  std::string names;
  for (const auto& [name, value] : json.items()) names += (names.empty() ? "" : ",") + name;
  EXPECT_EQ(names + "\n", kHeader);
  EXPECT_TRUE(json["volume_ml"].is_null());
  EXPECT_TRUE(json["error"].is_null());
  EXPECT_TRUE(json["calibration"].is_null());
  EXPECT_EQ(json["level"].get<double>(), 0.9);
  EXPECT_EQ(json["segmented_ml"].get<double>(), 1.0 / 3.0);
  EXPECT_EQ(json["flags"],
            nlohmann::ordered_json({"touches_border", "uncalibrated", "wide_raw_interval"}));
}

TEST(VolumeJsonLine, FailedCaseHasNoNumbers) {
  const auto row = rows_of(failed_record("case_02"), two_levels());
  const auto json = nlohmann::json::parse(to_json_line(row.at(0)));
  for (const char* name : {"region", "level", "raw_volume_ml", "segmented_ml", "passes"}) {
    EXPECT_TRUE(json[name].is_null()) << name;
  }
  EXPECT_EQ(json["flags"], nlohmann::json::array());
  EXPECT_EQ(json["status"], "failed");
}

TEST(VolumeTable, IsTheSameWhateverTheOrderOfTheCases) {
  VolumeTable forwards(two_levels()), backwards(two_levels());
  const std::vector<std::string> ids = {"B", "a", "a-1", "a.1", "a1", "a_1", "b"};
  for (auto id = ids.begin(); id != ids.end(); ++id) forwards.put(failed_record(*id));
  for (auto id = ids.rbegin(); id != ids.rend(); ++id) backwards.put(failed_record(*id));
  EXPECT_EQ(forwards.csv(), backwards.csv());
  std::size_t at = 0;
  for (const std::string& id : ids) {
    const std::size_t found = forwards.csv().find("\n" + id + ",");
    ASSERT_NE(found, std::string::npos);
    EXPECT_GE(found, at);
    at = found;
  }
}

TEST(VolumeTable, RecordOfTheSameCaseReplacesTheRows) {
  VolumeTable table(two_levels()), expected(two_levels());
  table.put(failed_record("a"));
  table.put(measured_record("a"));
  expected.put(measured_record("a"));
  EXPECT_EQ(table.csv(), expected.csv());
}

TEST(VolumeTable, FromMemoryAndFromFilesAreTheSameBytes) {
  const TemporaryFolder scratch;
  VolumeTable table(two_levels());
  CaseRecord latin1 = failed_record("case_03");
  latin1.error = "caf\xe9.nii: no such file";
  for (const CaseRecord& record : {failed_record("case_02"), measured_record("case_01"), latin1}) {
    write_case_record(record, case_record_path(scratch.path(), record.case_id));
    table.put(record);
  }
  VolumeTable from_files(two_levels());
  for (const std::string& case_id : recorded_case_ids(scratch.path())) {
    from_files.put(read_case_record(scratch.path(), case_id));
  }
  EXPECT_EQ(from_files.csv(), table.csv());
}

TEST(VolumeTable, WithoutRecordsIsAHeader) {
  const TemporaryFolder scratch;
  VolumeTable(two_levels()).write(scratch.path());
  EXPECT_EQ(text_of_file(scratch.path() / "volumes.csv"), kHeader);
}

}  // namespace
}  // namespace mcvol
