#include "mcvol/files/sha256.h"
#include "mcvol/files/text_file.h"
#include "mcvol/io/records/calibration_file.h"

#include "pipeline/predict/predict_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using testing::Predict;

TEST_F(Predict, CalibrationIsAppliedWithoutInferenceAndKeptInTheFolder) {
  run(options());
  calibrate_on_results(root_ / "calibration.json");
  PredictOptions calibrated = options();
  calibrated.levels = parse_levels({"0.5"});
  calibrated.calibration = {CalibrationChoice::Kind::kFile, root_ / "calibration.json"};
  EXPECT_EQ(run(calibrated).kept, 3);
  EXPECT_EQ(behaviour_->loads, 1);
  EXPECT_EQ(table().find("uncalibrated"), std::string::npos);
  EXPECT_EQ(read_file(root_ / "out" / "calibration.json"), read_file(root_ / "calibration.json"));
  EXPECT_EQ(run_file().options["calibration"],
            read_calibration_file(root_ / "calibration.json").sha256);

  calibrated.levels = parse_levels({"0.9"});
  EXPECT_THROW(run(calibrated), CalibrationError);
  calibrated.calibration = {CalibrationChoice::Kind::kNone, {}};
  run(calibrated);
  EXPECT_NE(table().find("uncalibrated"), std::string::npos);
  EXPECT_FALSE(fs::exists(root_ / "out" / "calibration.json"));
}

TEST_F(Predict, BundlesOwnCalibrationIsTheDefault) {
  run(options());
  calibrate_on_results(root_ / "model" / "calibration.json");
  PredictOptions with_default = options();
  with_default.levels = parse_levels({"0.5"});
  run(with_default);
  EXPECT_EQ(table().find("uncalibrated"), std::string::npos);
  with_default.passes = 4;
  with_default.output = root_ / "other";
  EXPECT_THROW(run(with_default), CalibrationError);
}

TEST_F(Predict, FolderKeepsItsCalibrationUntilItIsToldOtherwise) {
  PredictOptions calibrated = calibrated_run();
  calibrated.calibration = {};
  run(calibrated);
  EXPECT_EQ(table().find("uncalibrated"), std::string::npos);
  EXPECT_TRUE(listener_.notes.empty());
  // Another of the model: named, and not applied.
  const std::string kept = read_file(root_ / "out" / "calibration.json");
  nlohmann::json other = nlohmann::json::parse(kept);
  other["simulated"] = true;
  write_file_atomically(root_ / "model" / "calibration.json", other.dump());
  run(calibrated);
  EXPECT_EQ(read_file(root_ / "out" / "calibration.json"), kept);
  ASSERT_EQ(listener_.notes.size(), 1u);
  EXPECT_NE(listener_.notes[0].find("keeps its calibration " + sha256_of_bytes(kept).substr(0, 8) +
                                    "; the model's is calibration " +
                                    sha256_of_bytes(other.dump()).substr(0, 8)),
            std::string::npos)
      << listener_.notes[0];
  // Measured anew with other passes, for which the folder's does not hold.
  fs::remove(root_ / "model" / "calibration.json");
  PredictOptions anew = calibrated;
  anew.passes = 4;
  anew.fresh = true;
  run(anew);
  ASSERT_EQ(listener_.notes.size(), 1u);
  EXPECT_NE(listener_.notes[0].find("is dropped: made with passes 3, these passes have 4"),
            std::string::npos)
      << listener_.notes[0];
  EXPECT_FALSE(fs::exists(root_ / "out" / "calibration.json"));
}

TEST_F(Predict, DroppingACalibrationIsSaid) {
  PredictOptions calibrated = calibrated_run();
  calibrated.calibration = {CalibrationChoice::Kind::kNone, {}};
  run(calibrated);
  ASSERT_EQ(listener_.notes.size(), 1u);
  EXPECT_NE(listener_.notes[0].find("is dropped, as --calibration none says"), std::string::npos);
  run(calibrated);
  EXPECT_TRUE(listener_.notes.empty());
}

TEST_F(Predict, FilesOfOthersInTheFolderAreRefusedByName) {
  for (const char* name : {"volumes.csv", "report.html", "run.json", "cases/case_a.json",
                           "thumbnails/case_a.png", "maps/case_a/notes.txt"}) {
    const fs::path out = root_ / "of_others";
    write_file_atomically(out / name, "{}");
    PredictOptions into = options("of_others");
    try {
      run(into);
      ADD_FAILURE() << name;
    } catch (const UsageError& error) {
      const std::string message = error.what();
      EXPECT_NE(message.find(std::string(name).substr(0, std::string(name).find('/'))),
                std::string::npos)
          << message;
      EXPECT_NE(message.find("not written by a run of mcvol"), std::string::npos) << message;
    }
    EXPECT_EQ(read_file(out / name), "{}");
    fs::remove_all(out);
  }
  run(options());
  write_file_atomically(root_ / "out" / "volumes.csv", "a table of mine\n");
  EXPECT_THROW(run(options()), UsageError);
  fs::remove(root_ / "out" / "volumes.csv");
  fs::remove(root_ / "out" / "run.json");
  EXPECT_EQ(run(options()).kept, 3) << "records of a run are a run's";
}

TEST_F(Predict, RunFileNamesACalibrationBeforeItIsThere) {
  PredictOptions calibrated = calibrated_run();
  const std::string first = sha256_of_bytes(read_file(root_ / "calibration.json"));
  // Killed between run.json and calibration.json of another calibration.
  RunFile killed = run_file();
  killed.options["calibration"] = std::string(64, 'e');
  killed.options["calibration_before"] = {first};
  write_run_file(killed, root_ / "out");
  calibrated.calibration = {CalibrationChoice::Kind::kNone, {}};
  run(calibrated);
  EXPECT_FALSE(fs::exists(root_ / "out" / "calibration.json"));
  EXPECT_FALSE(run_file().options.contains("calibration_before"));
}

TEST_F(Predict, ACalibrationHoldsForItsToleranceOnly) {
  PredictOptions settled = options();
  settled.mc_tolerance = 0.05;
  settled.levels = parse_levels({"0.5"});
  run(settled);
  calibrate_on_results(root_ / "calibration.json");
  settled.calibration = CalibrationChoice::parse((root_ / "calibration.json").string());
  run(settled);
  EXPECT_EQ(table().find("uncalibrated"), std::string::npos);
  const auto refusal = [&](PredictOptions other) -> std::string {
    other.output = root_ / "other";
    try {
      run(other);
    } catch (const CalibrationError& error) {
      return error.what();
    }
    return "none";
  };
  PredictOptions other = settled;
  other.mc_tolerance = 0.1;
  EXPECT_NE(refusal(other).find("made with mc_tolerance 0.05, these passes have 0.1;"),
            std::string::npos);
  other.mc_tolerance.reset();
  other.passes = 20;
  EXPECT_NE(refusal(other).find("made with passes \"auto\", these passes have 20;"),
            std::string::npos);
}

TEST_F(Predict, ACalibrationOfFixedPassesDoesNotHoldForATolerance) {
  PredictOptions fixed = options();
  fixed.levels = parse_levels({"0.5"});
  run(fixed);
  calibrate_on_results(root_ / "calibration.json");
  PredictOptions settled = fixed;
  settled.calibration = CalibrationChoice::parse((root_ / "calibration.json").string());
  settled.mc_tolerance = 0.05;
  settled.output = root_ / "other";
  try {
    run(settled);
    ADD_FAILURE();
  } catch (const CalibrationError& error) {
    EXPECT_NE(std::string(error.what()).find("made with passes 3, these passes have \"auto\";"),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace mcvol
