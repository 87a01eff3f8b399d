#include "mcvol/io/records/case_record.h"

#include "mcvol/files/sha256.h"
#include "mcvol/io/records/calibration_file.h"

#include "io/records/result_fixtures.h"
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mcvol {
namespace {

using namespace testing_support;
using nlohmann::json;

/// Writes `record` with one change made to its JSON and reads it again.
class DamagedRecord : public ::testing::Test {
 protected:
  template <typename Change>
  std::string message_after(Change change, CaseRecord record = measured_record("case_01")) {
    const std::filesystem::path path = scratch_.path() / "case_01.json";
    write_case_record(record, path);
    json whole = json::parse(text_of_file(path));
    change(whole);
    write_text(path, whole.dump());
    return message_from<InputError>([&] { read_case_record(path); });
  }

  TemporaryFolder scratch_;
};

TEST(CaseRecordFile, MeasuredCaseComesBackToTheLastBit) {
  const TemporaryFolder scratch;
  const CaseRecord record = measured_record("case_01");
  const auto path = case_record_path(scratch.path(), "case_01");
  write_case_record(record, path);
  const CaseRecord back = read_case_record(scratch.path(), "case_01");
  EXPECT_TRUE(back.same_measurement(record));
  EXPECT_EQ(back.inputs.at(0).mtime_ns, record.inputs.at(0).mtime_ns);
  EXPECT_EQ(back.grid.origin_mm, record.grid.origin_mm);
  EXPECT_EQ(back.grid.direction, record.grid.direction);
}

TEST(CaseRecordFile, PassWithoutDropoutComesBack) {
  const TemporaryFolder scratch;
  CaseRecord record = measured_record("case_01");
  for (RegionRecord& region : record.regions) {
    region.without_dropout = {sharp_histogram(700, kSyntheticVoxels)};
  }
  write_case_record(record, scratch.path() / "a.json");
  const CaseRecord back = read_case_record(scratch.path() / "a.json");
  EXPECT_TRUE(back.same_measurement(record));
  EXPECT_FALSE(back.same_measurement(measured_record("case_01")));
}

TEST_F(DamagedRecord, FormatOneHadNoPassWithoutDropoutAndIsRead) {
  const std::string message = message_after([](json& whole) {
    whole["format"] = 1;
    for (json& region : whole["regions"]) {
      region.erase("without_dropout_above_half");
      region.erase("without_dropout_histograms");
    }
  });
  EXPECT_EQ(message, "");
  EXPECT_TRUE(
      read_case_record(scratch_.path() / "case_01.json").regions[0].without_dropout.empty());
}

TEST(CaseRecordFile, FailedCaseKeepsItsError) {
  const TemporaryFolder scratch;
  const auto path = scratch.path() / "x.json";
  write_case_record(failed_record("case_02"), path);
  const CaseRecord back = read_case_record(path);
  EXPECT_TRUE(back.same_measurement(failed_record("case_02")));
  EXPECT_EQ(back.status, CaseRecord::Status::kFailed);
}

TEST(CaseRecordFile, SameRecordGivesSameBytes) {
  const TemporaryFolder scratch;
  write_case_record(measured_record("case_01"), scratch.path() / "a.json");
  write_case_record(read_case_record(scratch.path() / "a.json"), scratch.path() / "b.json");
  EXPECT_EQ(text_of_file(scratch.path() / "a.json"), text_of_file(scratch.path() / "b.json"));
}

TEST(CaseRecordFile, HoldsNoFolder) {
  const TemporaryFolder scratch;
  write_case_record(measured_record("case_01"), scratch.path() / "a.json");
  // Base64 has slashes of its own.
  json whole = json::parse(text_of_file(scratch.path() / "a.json"));
  for (json& region : whole["regions"]) {
    region["histograms"] = "";
    region["mean_histogram"] = "";
  }
  EXPECT_EQ(whole.dump().find('/'), std::string::npos);
}

TEST(CaseRecordFile, FileNameThatIsNotUtf8DoesNotStopTheWriting) {
  const TemporaryFolder scratch;
  CaseRecord record = measured_record("case_01");
  record.inputs[0].file_name = "caf\xe9_t1.nii.gz";
  write_case_record(record, scratch.path() / "a.json");
  EXPECT_EQ(read_case_record(scratch.path() / "a.json").inputs.at(0).file_name,
            "caf\xef\xbf\xbd_t1.nii.gz");
}

TEST(CaseRecordFile, RecordOfAnotherCaseIsRefused) {
  const TemporaryFolder scratch;
  write_case_record(measured_record("case_01"), case_record_path(scratch.path(), "case_02"));
  const std::string message =
      message_from<InputError>([&] { read_case_record(scratch.path(), "case_02"); });
  expect_part(message, "case_02.json: case_id: expected \"case_02\"");
  expect_part(message, "found \"case_01\"");
}

TEST(CaseRecordFile, MissingFileIsAnInputErrorThatNamesIt) {
  const TemporaryFolder scratch;
  expect_part(message_from<InputError>([&] { read_case_record(scratch.path() / "no.json"); }),
              "no.json");
}

TEST_F(DamagedRecord, NewerFormatSaysUpdate) {
  expect_part(message_after([](json& whole) {
                whole["format"] = 5;
                whole["novelty"] = true;
              }),
              "case_01.json: format: 5 is newer than this mcvol reads (4); update mcvol");
}

TEST_F(DamagedRecord, OtherJsonIsNoRecord) {
  expect_part(message_after([](json& whole) { whole = json::object(); }), "no case record");
  expect_part(message_after([](json& whole) { whole = json::array(); }), "expected a JSON object");
}

TEST_F(DamagedRecord, UnknownMissingAndMistypedFieldsAreNamed) {
  expect_part(message_after([](json& whole) { whole["surprise"] = 1; }), "surprise");
  expect_part(message_after([](json& whole) { whole.erase("model"); }), "model");
  expect_part(message_after([](json& whole) { whole["passes"] = "5"; }), "passes");
  expect_part(message_after([](json& whole) { whole["inputs"][0].erase("channel"); }),
              "inputs[0].channel");
  expect_part(message_after([](json& whole) { whole["regions"][1]["note"] = ""; }),
              "regions[1].note");
}

TEST_F(DamagedRecord, ValuesOutOfRangeAreNamed) {
  expect_part(message_after([](json& whole) { whole["status"] = "fine"; }), "status: ");
  expect_part(message_after([](json& whole) { whole["case_id"] = "../x"; }), "case_id: ");
  expect_part(message_after([](json& whole) { whole["run_identity"] = "12"; }), "run_identity: ");
  expect_part(message_after([](json& whole) { whole["flags"][0] = "a;b"; }), "flags[0]: ");
  expect_part(message_after([](json& whole) { whole["grid"]["size"][2] = 0; }), "grid.size[2]: ");
  expect_part(message_after([](json& whole) { whole["grid"]["spacing_mm"][0] = -1.0; }),
              "grid.spacing_mm: ");
  expect_part(message_after([](json& whole) {
                whole["grid"]["spacing_mm"] = {1e200, 1e200, 1};
              }),
              "grid.spacing_mm: expected numbers from 1e-6 to 1e6");
  expect_part(message_after([](json& whole) { whole["inputs"][0]["file_name"] = "a/b"; }),
              "inputs[0].file_name: ");
  expect_part(message_after([](json& whole) { whole["regions"] = json::array(); }), "regions: ");
  expect_part(message_after([](json& whole) { whole["error"] = ""; }, failed_record("case_01")),
              "error: ");
}

TEST_F(DamagedRecord, HistogramsMustFitPassesRegionsAndGrid) {
  expect_part(message_after([](json& whole) { whole["passes"] = 4; }),
              "regions[0].above_half: expected 4 values, found 5");
  expect_part(message_after([](json& whole) {
                whole["regions"][0]["histograms"] = whole["regions"][0]["mean_histogram"];
              }),
              "regions[0].histograms: expected 5 x 257 counts, found 257");
  expect_part(message_after([](json& whole) { whole["regions"][0]["histograms"] = "?"; }),
              "regions[0].histograms: ");
  expect_part(message_after([](json& whole) { whole["regions"][0]["above_half"][3] = 6001; }),
              "regions[0].histograms: ");
  expect_part(message_after([](json& whole) { whole["regions"][1]["region"] = "whole"; }),
              "region \"whole\" is there twice");
  expect_part(message_after([](json& whole) {
                whole["grid"]["size"] = {10, 10, 10};
              }),
              "6000 voxels do not agree");
}

TEST_F(DamagedRecord, TruncatedFileIsRefused) {
  const std::filesystem::path path = scratch_.path() / "case_01.json";
  write_case_record(measured_record("case_01"), path);
  const std::string text = text_of_file(path);
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{1}, text.size() / 2, text.size() - 3}) {
    write_text(path, text.substr(0, size));
    expect_part(message_from<InputError>([&] { read_case_record(path); }), "case_01.json, line ");
  }
}

TEST(RecordedCaseIds, AreSortedByBytesAndPassOverWhatIsNoRecord) {
  const TemporaryFolder scratch;
  EXPECT_TRUE(recorded_case_ids(scratch.path()).empty());
  for (const char* id : {"b", "a", "B", "a.1"}) {
    write_case_record(failed_record(id), case_record_path(scratch.path(), id));
  }
  write_text(scratch.path() / "cases" / ".c.json.tmp", "");
  write_text(scratch.path() / "cases" / ".c.json", "");
  write_text(scratch.path() / "cases" / "notes.txt", "");
  EXPECT_EQ(recorded_case_ids(scratch.path()), (std::vector<std::string>{"B", "a", "a.1", "b"}));
}

TEST(CaseRecordFile, WhatCameWithFormat4ComesBackAndMakesItOne) {
  const TemporaryFolder scratch;
  CaseRecord record = measured_record("case_01");
  write_case_record(record, scratch.path() / "a.json");
  EXPECT_EQ(json::parse(text_of_file(scratch.path() / "a.json"))["format"], 3);
  record.inputs[0].index = 2;
  record.regions[0].segmentation = SegmentationShape{3, 2000, true};
  write_case_record(record, scratch.path() / "a.json");
  EXPECT_EQ(json::parse(text_of_file(scratch.path() / "a.json"))["format"], 4);
  const CaseRecord back = read_case_record(scratch.path() / "a.json");
  EXPECT_TRUE(back.same_measurement(record));
  EXPECT_FALSE(back.same_measurement(measured_record("case_01")));
  EXPECT_EQ(back.inputs[0].index, 2);
  ASSERT_TRUE(back.regions[0].segmentation);
  EXPECT_EQ(back.regions[0].segmentation->foci, 3);
  EXPECT_EQ(back.regions[0].segmentation->largest_focus_voxels, 2000);
  EXPECT_TRUE(back.regions[0].segmentation->touches_border);
  EXPECT_FALSE(back.regions[1].segmentation);
}

TEST_F(DamagedRecord, FociMustFitTheRegion) {
  const auto message_with = [&](const char* key, std::int64_t value) {
    return message_after([&](json& whole) {
      json& shape = whole["regions"][0]["segmentation"];
      shape = {{"foci", 1}, {"largest_focus_voxels", 2500}, {"touches_border", false}};
      shape[key] = value;
    });
  };
  EXPECT_EQ(message_with("foci", 6000), "");
  expect_part(message_with("foci", 6001),
              "case_01.json: regions[0].segmentation.foci: expected 0 to 6000, found 6001");
  expect_part(
      message_with("largest_focus_voxels", -1),
      "case_01.json: regions[0].segmentation.largest_focus_voxels: expected 0 to 6000, found "
      "-1");
}

/// `whole` and `core` of measured_record(): 1000 voxels in all five passes, 1000 in four of them …
void add_agreement(CaseRecord& record) {
  record.regions[0].agreement = {1000, 1000, 1000, 1000, 1000, 1000};
  record.regions[1].agreement = {6000, 0, 0, 0, 0, 0};
}

TEST(CaseRecordFile, AgreementComesBackAndMakesItFormat4) {
  const TemporaryFolder scratch;
  CaseRecord record = measured_record("case_01");
  add_agreement(record);
  write_case_record(record, scratch.path() / "a.json");
  EXPECT_EQ(json::parse(text_of_file(scratch.path() / "a.json"))["format"], 4);
  const CaseRecord back = read_case_record(scratch.path() / "a.json");
  EXPECT_EQ(back.regions[0].agreement, record.regions[0].agreement);
  EXPECT_EQ(back.regions[1].agreement, record.regions[1].agreement);
}

TEST_F(DamagedRecord, AgreementMustBeThatOfThePasses) {
  CaseRecord record = measured_record("case_01");
  add_agreement(record);
  const auto message_with = [&](const std::vector<std::int64_t>& counts) {
    return message_after([&](json& whole) { whole["regions"][0]["agreement"] = counts; }, record);
  };
  const std::string field = "case_01.json: regions[0].agreement";
  EXPECT_EQ(message_with({1000, 1000, 1000, 1000, 1000, 1000}), "");
  expect_part(message_with({6000, 0, 0, 0, 0}), field + ": expected 6 values, found 5");
  expect_part(message_with({999, 1000, 1000, 1000, 1000, 1000}),
              field + ": expected 6000 voxels, found 5999");
  expect_part(message_with({1000, 1000, 1000, 1000, 1000, std::int64_t{1} << 62}),
              field + ": expected 6000 voxels, found more");
  expect_part(message_with({1000, 1000, 1000, 1000, 1001, 999}),
              field + ": expected 15000 times that a pass has a voxel above 0.5, found 14999");
  expect_part(message_with({-1, 1001, 1000, 1000, 1000, 1000}),
              field + "[0]: expected at least 0, found -1");
}

TEST(SameMeasurement, IsToldByTheAgreementWhereBothHaveIt) {
  const CaseRecord without = measured_record("case_01");
  CaseRecord with = without;
  add_agreement(with);
  EXPECT_TRUE(with.same_measurement(without));
  EXPECT_TRUE(without.same_measurement(with));
  CaseRecord other = with;
  other.regions[0].agreement = {1001, 998, 1001, 1000, 1000, 1000};
  EXPECT_FALSE(with.same_measurement(other));
}

TEST(ScanSha256, TellsCasesOutOfOneFileApartAndIsAsBeforeOfOthers) {
  CaseRecord record = measured_record("case_01");
  EXPECT_EQ(scan_sha256(record), sha256_of_bytes(record.inputs.at(0).sha256));
  record.inputs[0].index = 0;
  const std::string first = scan_sha256(record);
  record.inputs[0].index = 2;
  EXPECT_NE(scan_sha256(record), first);
}

TEST(SameMeasurement, IgnoresFileTimesOnly) {
  const CaseRecord record = measured_record("case_01");
  CaseRecord other = record;
  other.inputs[0].mtime_ns += 1;
  EXPECT_TRUE(record.same_measurement(other));
  other = record;
  other.inputs[0].sha256[5] = '0';
  EXPECT_FALSE(record.same_measurement(other));
  other = record;
  other.regions[0].passes[2] = sharp_histogram(2999, kSyntheticVoxels);
  EXPECT_FALSE(record.same_measurement(other));
  other = record;
  other.grid.origin_mm[0] += 1e-12;
  EXPECT_FALSE(record.same_measurement(other));
  other = record;
  other.flags.clear();
  EXPECT_FALSE(record.same_measurement(other));
}

}  // namespace
}  // namespace mcvol
