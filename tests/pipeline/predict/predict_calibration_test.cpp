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
