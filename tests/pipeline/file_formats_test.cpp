// docs/formats.md: the files written now are valid under docs/schemas, and a file of every format
// there ever was (tests/pipeline/formats, never rewritten) is still read.
#include "mcvol/analysis/calibrate.h"
#include "mcvol/io/records/calibration_file.h"
#include "mcvol/io/records/run_file.h"
#include "mcvol/pipeline/predict.h"

#include <fstream>

#include "pipeline/fake_bundle.h"
#include "pipeline/fake_segmenter.h"
#include "support/json_schema.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path kFormats = fs::path(MCVOL_SOURCE_DIR) / "tests/pipeline/formats";

json json_of(const fs::path& path) {
  std::ifstream stream(path);
  return json::parse(stream);
}

/// What breaks the schema of `kind`: record, run or calibration; each on a line.
std::string schema_breaks(const std::string& kind, const json& document) {
  const fs::path schema = fs::path(MCVOL_SOURCE_DIR) / "docs/schemas" / (kind + ".schema.json");
  std::string breaks;
  for (const std::string& error : testing::schema_errors(schema, document)) breaks += error + "\n";
  return breaks;
}

class Quiet : public PredictObserver {
 public:
  void warn(const std::string&) override {}
  void note(const std::string&) override {}
  void planned(const PredictPlan&) override {}
  void network_loaded(const NetworkSummary&) override {}
  void started(int, int, const std::string&) override {}
  void progress(double) override {}
  void finished(const FinishedCase&) override {}
  void kept_despite(const std::string&, const std::string&) override {}
};

/// A result folder with three measured cases and a failed one, and a calibration on the three.
void write_example_results(const fs::path& root) {
  testing::write_fake_bundle(root / "model");
  for (int n = 1; n <= 3; ++n) {
    testing::write_fake_scan(root / "scans", "case_" + std::to_string(n), n);
  }
  testing::write_fake_scan(root / "scans", "case_4");
  std::ofstream(root / "scans/case_4/case_4_t1.nii.gz") << "no image";
  PredictServices services;
  services.load_segmenter = [](const Bundle&, const SegmenterOptions&) {
    return std::make_unique<testing::FakeSegmenter>(
        std::make_shared<testing::FakeSegmenter::Behaviour>());
  };
  services.stop = [] { return std::nullopt; };
  PredictOptions options;
  options.scans = {root / "scans"};
  options.model = root / "model";
  options.output = root / "out";
  options.passes = 3;
  options.threads = 1;
  options.version = "0.1.0";
  Quiet quiet;
  ASSERT_EQ(predict(options, services, quiet).measured, 3);

  std::ofstream(root / "references.csv") << "case_id,region,volume_ml\n"
                                            "case_1,whole,1\ncase_2,whole,2\ncase_3,whole,1.5\n"
                                            "case_1,core,1\ncase_2,core,1.2\ncase_3,core,0\n";
  CalibrateOptions calibration;
  calibration.results = root / "out";
  calibration.references.path = root / "references.csv";
  calibration.output = root / "calibration.json";
  calibration.levels = parse_levels({"0.5"});
  calibration.version = "0.1.0";
  calibrate(calibration);
}

TEST(FileFormats, WhatIsWrittenIsValidUnderTheSchemas) {
  if (!testing::have_json_schema()) GTEST_SKIP() << "built without libvalijson-dev";
  const fs::path root = testing::fresh_folder("file_formats");
  write_example_results(root);
  const json measured = json_of(root / "out/cases/case_1.json");
  const json failed = json_of(root / "out/cases/case_4.json");
  EXPECT_EQ(measured["status"], "ok");
  EXPECT_EQ(failed["status"], "failed");
  EXPECT_EQ(schema_breaks("record", measured), "");
  EXPECT_EQ(schema_breaks("record", failed), "");
  EXPECT_EQ(schema_breaks("run", json_of(root / "out/run.json")), "");
  EXPECT_EQ(schema_breaks("calibration", json_of(root / "calibration.json")), "");
}

/// Frozen files by the schema they are of.
std::vector<std::pair<std::string, fs::path>> frozen_files() {
  std::vector<std::pair<std::string, fs::path>> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(kFormats)) {
    const std::string name = entry.path().filename().string();
    files.emplace_back(name.substr(0, name.find('_')), entry.path());
  }
  return files;
}

TEST(FileFormats, SchemasHoldForEveryFormatAndForNothingElse) {
  if (!testing::have_json_schema()) GTEST_SKIP() << "built without libvalijson-dev";
  ASSERT_GE(frozen_files().size(), 4u);
  for (const auto& [kind, path] : frozen_files()) {
    SCOPED_TRACE(path);
    const json valid = json_of(path);
    EXPECT_EQ(schema_breaks(kind, valid), "");
    json more = valid;
    more["unknown"] = 1;
    EXPECT_NE(schema_breaks(kind, more), "");
    json newer = valid;
    newer["format"] = 99;
    EXPECT_NE(schema_breaks(kind, newer), "");
    for (const auto& [key, value] : valid.items()) {
      if (kind == "record" && (key == "error" || value.is_array())) continue;  // may be left out
      if (key != "image_quality") {  // likewise, but nothing else may stand there
        json less = valid;
        less.erase(key);
        EXPECT_NE(schema_breaks(kind, less), "") << key;
      }
      json other = valid;
      other[key] = json::array({json::object()});
      EXPECT_NE(schema_breaks(kind, other), "") << key;
    }
  }
}

TEST(FileFormats, RecordsOfEveryFormatAreRead) {
  for (const char* name : {"record_1.json", "record_2.json", "record_3.json", "record_4.json"}) {
    SCOPED_TRACE(name);
    const CaseRecord record = read_case_record(kFormats / name);
    EXPECT_EQ(record.case_id, "case_1");
    EXPECT_EQ(record.passes, 3);
    ASSERT_EQ(record.regions.size(), 2u);
    EXPECT_EQ(record.regions[0].region, "whole");
    EXPECT_EQ(record.regions[0].passes[0].above_half(), 148);
    EXPECT_EQ(record.regions[0].without_dropout.size(), name[7] == '1' ? 0u : 1u);
    EXPECT_EQ(record.regions[0].monte_carlo_error.has_value(), name[7] >= '3');
    EXPECT_EQ(record.notes.size(), name[7] == '4' ? 1u : 0u);
    EXPECT_EQ(record.image_quality.has_value(), name[7] == '4');
    EXPECT_EQ(record.regions[1].agreement.size(), name[7] == '4' ? 4u : 0u);
  }
}

TEST(FileFormats, RunsAndCalibrationsOfEveryFormatAreRead) {
  const fs::path folder = testing::fresh_folder("file_formats_run");
  fs::create_directories(folder);
  fs::copy_file(kFormats / "run_1.json", folder / "run.json");
  const RunFile run = read_run_file(folder).value();
  EXPECT_EQ(run.state, RunFile::State::kComplete);
  EXPECT_EQ(run.failed, 1);
  EXPECT_EQ(run.levels, std::vector<std::string>{"0.9"});
  for (const char* name : {"calibration_1.json", "calibration_2.json"}) {
    SCOPED_TRACE(name);
    const bool regressed = name[12] >= '2';
    const CalibrationFile calibration = read_calibration_file(kFormats / name);
    EXPECT_EQ(calibration.method,
              regressed ? IntervalMethod::kRegression : IntervalMethod::kConformal);
    EXPECT_EQ(calibration.identity, run.identity);
    EXPECT_EQ(calibration.scans.size(), 3u);
    ASSERT_EQ(calibration.regions.size(), 2u);
    const RegionCalibration::Stratum& stratum = calibration.regions[0].strata[0];
    EXPECT_EQ(stratum.fit(ScoreKind::kConformal)->n(), 3);
    EXPECT_EQ(stratum.fit(ScoreKind::kScaled)->n(), 3);
    EXPECT_EQ(stratum.has(IntervalMethod::kRegression), regressed);
  }
}

}  // namespace
}  // namespace mcvol
