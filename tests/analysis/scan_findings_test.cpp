#include "mcvol/analysis/scan_findings.h"

#include "mcvol/analysis/calibrate.h"
#include "mcvol/analysis/calibration_use.h"
#include "mcvol/analysis/tabulate.h"
#include "mcvol/error/error.h"
#include "mcvol/image/quality_changes.h"

#include <algorithm>
#include <filesystem>
#include <functional>

#include "analysis/synthetic_results.h"
#include "io/records/result_fixtures.h"
#include "quality/drawn_scans.h"
#include <gtest/gtest.h>

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;
using testing_support::drawn_scan;
using testing_support::message_from;
using testing_support::text_of_file;
using testing_support::write_text;
using Flags = std::vector<std::string>;

/// A calibration on 120 scans of three channels whose image quality metrics are known.
class FindingsOf : public ::testing::Test {
 protected:
  void SetUp() override {
    identity_["model"]["channels"] = {{{"name", "t1"}}, {{"name", "t2"}}, {{"name", "flair"}}};
    scans_ = synthetic_scans(121, 5);
    for (const SyntheticScan& scan : scans_) records_.push_back(record_of_channels(scan));
    other_ = records_.back();
    records_.pop_back();
    write_synthetic_references(folder("references.csv"), scans_);
  }

  fs::path folder(const std::string& name) const { return temporary_.path() / name; }

  CaseRecord record_of_channels(const SyntheticScan& scan) {
    CaseRecord record = record_of(scan, identity_);
    record.inputs.resize(3, record.inputs.front());
    record.inputs[1].channel = "t2";
    record.inputs[2].channel = "flair";
    record.image_quality = drawn_scan(generator_);
    return record;
  }

  CalibrateReport calibrated() {
    write_synthetic_results(folder("results"), {});
    RunFile run = read_run_file(folder("results")).value();
    run.identity = identity_;
    write_run_file(run, folder("results"));
    for (const CaseRecord& record : records_) {
      write_case_record(record, case_record_path(folder("results"), record.case_id));
    }
    CalibrateOptions options;
    options.results = folder("results");
    options.references.path = folder("references.csv");
    options.output = folder("calibration.json");
    options.method = IntervalMethod::kConformal;
    return calibrate(options);
  }

  CalibrationPointer applied() {
    return read_calibration_for(folder("calibration.json"), identity_, parse_levels({"0.9"}));
  }

  Flags flags_after(const std::function<void(ImageQuality&)>& change) {
    CaseRecord record = other_;
    change(*record.image_quality);
    const CalibrationPointer calibration = applied();
    Flags flags;
    for (const ScanFinding& finding : findings_of(record, calibration.get())) {
      flags.push_back(finding.flag);
    }
    for (const VolumeRow& row : rows_of(record, parse_levels({"0.9"}), calibration.get())) {
      for (const std::string& flag : flags) {
        EXPECT_EQ(std::count(row.flags.begin(), row.flags.end(), flag), 1) << flag;
      }
    }
    return flags;
  }

  TemporaryFolder temporary_;
  std::mt19937_64 generator_{31};
  nlohmann::json identity_ = synthetic_identity();
  std::vector<SyntheticScan> scans_;
  std::vector<CaseRecord> records_;
  CaseRecord other_;
};

TEST_F(FindingsOf, ACalibrationKnowsWhatItsScansLookLike) {
  const CalibrateReport report = calibrated();
  EXPECT_TRUE(report.notes.empty());
  const CalibrationFile file = read_calibration_file(folder("calibration.json"));
  ASSERT_EQ(file.image_quality.size(), 120u);
  EXPECT_EQ(file.image_quality, report.calibration.image_quality);
  for (const CaseRecord& record : records_) {
    EXPECT_EQ(std::count(file.image_quality.begin(), file.image_quality.end(),
                         record.image_quality.value()),
              1);
  }
  // Not in the order of the cases, which that of references would give away.
  EXPECT_TRUE(std::is_sorted(
      file.image_quality.begin(), file.image_quality.end(),
      [](const ImageQuality& a, const ImageQuality& b) { return a.brain_ml < b.brain_ml; }));
}

TEST_F(FindingsOf, RecordsThatDoNotSayHowTheirScansLookAreNoted) {
  records_[7].image_quality.reset();
  const CalibrateReport report = calibrated();
  ASSERT_EQ(report.notes.size(), 1u);
  EXPECT_NE(report.notes.front().find(records_[7].case_id), std::string::npos);
  EXPECT_TRUE(read_calibration_file(folder("calibration.json")).image_quality.empty());
  EXPECT_EQ(flags_after([](ImageQuality& scan) { scan.brain_ml *= 3; }), Flags{});
}

TEST_F(FindingsOf, AreFlagsOfEveryRow) {
  calibrated();
  EXPECT_EQ(flags_after([](ImageQuality&) {}), Flags{});
  EXPECT_EQ(flags_after([](ImageQuality& scan) { scan.brain_ml *= 3; }),
            Flags{"unlike_calibration"});
  const Flags exchanged =
      flags_after([](ImageQuality& scan) { scan = with_channels_exchanged(scan, 1, 2); });
  EXPECT_EQ(std::count(exchanged.begin(), exchanged.end(), "channels_exchanged"), 1);
  const Flags turned = flags_after([](ImageQuality& scan) { scan = with_axis_reversed(scan, 1); });
  EXPECT_EQ(std::count(turned.begin(), turned.end(), "wrong_orientation"), 1);
}

TEST_F(FindingsOf, SayWhichChannelsAndAxes) {
  calibrated();
  const CalibrationPointer calibration = applied();
  const auto words_of = [&](const ImageQuality& scan) {
    CaseRecord record = other_;
    record.image_quality = scan;
    std::string words;
    for (const ScanFinding& finding : findings_of(record, calibration.get())) {
      words += finding.words + ".";
    }
    return words;
  };
  const ImageQuality& scan = other_.image_quality.value();
  EXPECT_NE(words_of(with_channels_exchanged(scan, 1, 2)).find("t2 and flair look exchanged."),
            std::string::npos);
  EXPECT_NE(words_of(with_axis_reversed(scan, 1)).find("the y axis seems to run the other way."),
            std::string::npos);
  EXPECT_NE(words_of(with_axes_exchanged(scan, 0, 1)).find("the axes x and y look exchanged."),
            std::string::npos);
}

TEST_F(FindingsOf, NothingIsSaidWhereNothingIsKnown) {
  calibrated();
  EXPECT_TRUE(findings_of(other_, nullptr).empty());
  const CalibrationPointer calibration = applied();
  CaseRecord strange = other_;
  strange.image_quality->brain_ml *= 3;
  EXPECT_FALSE(findings_of(strange, calibration.get()).empty());
  CaseRecord of_other_run = strange;
  of_other_run.run_identity = std::string(64, 'c');
  EXPECT_TRUE(findings_of(of_other_run, calibration.get()).empty());
  CaseRecord earlier = strange;
  earlier.image_quality.reset();
  EXPECT_TRUE(findings_of(earlier, calibration.get()).empty());
  CaseRecord of_calibration = records_.front();
  of_calibration.image_quality->brain_ml *= 3;
  EXPECT_TRUE(findings_of(of_calibration, calibration.get()).empty());
}

TEST_F(FindingsOf, ARecordOfOtherChannelsIsNamedAndTheTableGoesOn) {
  calibrated();
  other_.inputs.pop_back();
  other_.image_quality->channels.pop_back();
  write_case_record(other_, case_record_path(folder("results"), other_.case_id));
  TabulateOptions options;
  options.results = folder("results");
  options.calibration = {CalibrationChoice::Kind::kFile, folder("calibration.json")};
  const Tabulation table = tabulate(options);
  EXPECT_EQ(table.rows_by_case.size(), 120u);
  ASSERT_EQ(table.unreadable.size(), 1u);
  EXPECT_EQ(table.unreadable.front(), "the record of " + other_.case_id +
                                          ": 2 channels, expected the 3 of its model; measure the "
                                          "case again; left out");
}

TEST_F(FindingsOf, InATableAreSaidInWords) {
  calibrated();
  other_.image_quality = with_channels_exchanged(*other_.image_quality, 1, 2);
  write_case_record(other_, case_record_path(folder("results"), other_.case_id));
  TabulateOptions options;
  options.results = folder("results");
  options.calibration = {CalibrationChoice::Kind::kFile, folder("calibration.json")};
  const std::string line = other_.case_id + ": t2 and flair look exchanged";
  const std::vector<std::string> notes = tabulate(options).notes;
  EXPECT_EQ(std::count(notes.begin(), notes.end(), line), 1);
  VolumeTable table(parse_levels({"0.9"}), applied());
  table.put(other_);
  EXPECT_EQ(table.faults(), std::vector<std::string>{line});
}

TEST_F(FindingsOf, TheTableKnowsWhetherItsScansAreOfTheCalibrationsKind) {
  calibrated();
  VolumeTable table(parse_levels({"0.9"}), applied());
  EXPECT_EQ(table.batch(), std::nullopt);
  for (const CaseRecord& record : records_) table.put(record);
  // The calibration's own scans, which are of their kind by themselves.
  EXPECT_EQ(table.batch(), std::nullopt);
  for (int n = 0; n < 30; ++n) {
    CaseRecord record = other_;
    record.case_id = "noisy_" + std::to_string(n);
    record.inputs[0].sha256 = sha256_of_bytes(record.case_id);
    record.image_quality = drawn_scan(generator_, {.noise = 0.2});
    table.put(record);
    table.put(record);  // again, as on resume
  }
  const BatchCheck batch = table.batch().value();
  EXPECT_EQ(batch.scans, 30u);
  EXPECT_EQ(batch.calibration_scans, 120u);
  EXPECT_TRUE(batch.differs());
  EXPECT_EQ(batch.words().find("the 30 scans and the 120 of the calibration differ (p = 0.00"), 0u);
  EXPECT_NE(batch.words().find("noise ("), std::string::npos);
  const nlohmann::json json = json_of(batch);
  EXPECT_EQ(json["scans"], 30);
  EXPECT_EQ(json["differences"][0]["z"], batch.comparison.differences.front().z);
}

TEST_F(FindingsOf, ACalibrationOfOtherChannelsIsRefused) {
  calibrated();
  nlohmann::json whole = nlohmann::json::parse(text_of_file(folder("calibration.json")));
  const nlohmann::json before = whole;
  for (nlohmann::json& scan : whole["image_quality"]) scan["channels"].erase(2);
  const auto message_of = [&](const nlohmann::json& changed) {
    write_text(folder("calibration.json"), changed.dump());
    return message_from<CalibrationError>([&] { applied(); });
  };
  EXPECT_NE(message_of(whole).find("image_quality: of 2 channels, expected the 3 of its model"),
            std::string::npos);
  whole = before;
  whole["image_quality"][4]["channels"].erase(2);
  EXPECT_NE(message_of(whole).find("image_quality[4].channels: expected lists of 3 here, found 2"),
            std::string::npos);
  whole["image_quality"] = nlohmann::json::array();
  EXPECT_NE(message_of(whole).find("image_quality: expected that of some scans"),
            std::string::npos);
}

}  // namespace
}  // namespace mcvol::testing
