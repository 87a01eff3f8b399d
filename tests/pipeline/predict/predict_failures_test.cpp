#include "mcvol/files/text_file.h"

#include <algorithm>
#include <new>
#include <stdexcept>

#include "pipeline/predict/predict_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using testing::Listener;
using testing::Predict;

TEST_F(Predict, MissingChannelIsOneFailedRow) {
  fs::remove(root_ / "scans" / "case_b" / "case_b_flair.nii.gz");
  const PredictOutcome outcome = run(options());
  EXPECT_EQ(outcome.exit_code, ExitCode::kScanFailed);
  EXPECT_EQ(outcome.measured, 2);
  EXPECT_EQ(record("case_b").status, CaseRecord::Status::kFailed);
  EXPECT_NE(table().find("\ncase_b,,,"), std::string::npos);
  EXPECT_EQ(run_file().failed, 1);
}

TEST_F(Predict, DamagedFileIsOneFailedRowThatNamesNoFolder) {
  const fs::path file = root_ / "scans" / "case_b" / "case_b_t1.nii.gz";
  const std::string bytes = read_file(file);
  write_file_atomically(file, bytes.substr(0, bytes.size() / 2));
  EXPECT_EQ(run(options()).exit_code, ExitCode::kScanFailed);
  const std::string error = record("case_b").error;
  EXPECT_NE(error.find("case_b_t1.nii.gz"), std::string::npos) << error;
  EXPECT_EQ(error.find('/'), std::string::npos) << error;
  EXPECT_EQ(record("case_c").status, CaseRecord::Status::kOk);
}

TEST_F(Predict, WhateverAScanMakesTheNetworkThrowIsOneFailedRow) {
  behaviour_->on_run = [](int number) {
    if (number == 1) throw std::runtime_error("first line\nsecond line");
    if (number == 2) throw ModelError("window too small");
    if (number == 3) throw std::bad_alloc();
  };
  const PredictOutcome outcome = run(options());
  EXPECT_EQ(outcome.failed, 3);
  EXPECT_EQ(outcome.exit_code, ExitCode::kScanFailed);
  EXPECT_EQ(record("case_a").error, "first line second line");
  EXPECT_EQ(record("case_b").error, "window too small");
  EXPECT_NE(record("case_c").error.find("not enough memory"), std::string::npos);
}

TEST_F(Predict, FailedCasesAreTriedAgain) {
  behaviour_->on_run = [](int number) {
    if (number == 2) throw InputError("NaN");
  };
  run(options());
  const PredictOutcome outcome = run(options());
  EXPECT_EQ(listener_.order, std::vector<std::string>{"case_b"});
  EXPECT_EQ(outcome.exit_code, ExitCode::kSuccess);
  PredictOptions other = options("other");
  run(other);
  EXPECT_EQ(table(), table("other"));
}

TEST_F(Predict, ScanThatDidNotFitBesideAnotherIsLoadedAgain) {
  int loads_of_b = 0;
  services_.load_scan = [&](const std::vector<ImageSource>& files, const ScanPreparation& how,
                            StageTimings& timings) {
    if (files[0].name().find("case_b") != std::string::npos && ++loads_of_b == 1) {
      throw std::bad_alloc();
    }
    return load_scan(files, how, timings);
  };
  EXPECT_EQ(run(options()).measured, 3);
  EXPECT_EQ(loads_of_b, 2);
}

TEST_F(Predict, ScanWithNothingToMeasureFails) {
  services_.load_scan = [&](const std::vector<ImageSource>& files, const ScanPreparation& how,
                            StageTimings& timings) {
    PreparedScan scan = load_scan(files, how, timings);
    std::fill(scan.measured.values.begin(), scan.measured.values.end(), std::uint8_t{0});
    return scan;
  };
  EXPECT_EQ(run(options()).failed, 3);
  EXPECT_EQ(behaviour_->runs, 0);
}

TEST_F(Predict, DeviceThatIsGoneEndsTheRunWithWhatIsFinishedKept) {
  behaviour_->on_run = [](int number) {
    if (number == 2) throw Error("the device is gone");
  };
  EXPECT_THROW(run(options()), Error);
  EXPECT_EQ(record("case_a").status, CaseRecord::Status::kOk);
  EXPECT_FALSE(fs::exists(root_ / "out" / "cases" / "case_b.json"));
  EXPECT_EQ(run_file().state, RunFile::State::kInterrupted);
  EXPECT_NE(table().find("case_a,whole"), std::string::npos);
}

TEST_F(Predict, ObserverThatThrowsEndsTheRunWithWhatIsFinishedKept) {
  PredictOptions wanted = options();
  Listener listener;
  listener.on_finished = [] { throw Error("stdout is closed"); };
  EXPECT_THROW(predict(wanted, services_, listener), Error);
  EXPECT_EQ(record("case_a").status, CaseRecord::Status::kOk);
  EXPECT_EQ(run_file().done, 1);
}

TEST_F(Predict, CaseThatHasLostAChannelKeepsItsRecordAndIsReported) {
  run(options());
  const std::string before = table();
  fs::remove(root_ / "scans" / "case_c" / "case_c_t1.nii.gz");
  const PredictOutcome outcome = run(options());
  EXPECT_EQ(outcome.exit_code, ExitCode::kScanFailed);
  EXPECT_EQ(listener_.kept, std::vector<std::string>{"case_c"});
  EXPECT_EQ(table(), before);
}

TEST_F(Predict, FileThatVanishesDuringTheRunLeavesItsRecord) {
  run(options());
  const std::string before = table();
  PredictOptions again = options();
  again.fresh = true;
  Listener listener;
  // The next scan is being loaded by then, the one after it not yet.
  listener.on_finished = [this] { fs::remove(root_ / "scans" / "case_c" / "case_c_t1.nii.gz"); };
  const PredictOutcome outcome = predict(again, services_, listener);
  EXPECT_EQ(outcome.exit_code, ExitCode::kScanFailed);
  EXPECT_EQ(outcome.failed, 1);
  EXPECT_EQ(listener.kept, std::vector<std::string>{"case_c"});
  EXPECT_EQ(table(), before);
}

TEST_F(Predict, FileThatHasChangedAndCannotBeUsedFailsItsCase) {
  run(options());
  const fs::path file = root_ / "scans" / "case_b" / "case_b_t1.nii.gz";
  write_file_atomically(file, read_file(file).substr(0, 100));
  EXPECT_EQ(run(options()).exit_code, ExitCode::kScanFailed);
  EXPECT_TRUE(listener_.kept.empty());
  EXPECT_EQ(record("case_b").status, CaseRecord::Status::kFailed);
}

TEST_F(Predict, BadBundleOrOptionIsAnErrorBeforeTheFolderIsMade) {
  write_file_atomically(root_ / "model" / "network.pt", "other bytes");
  EXPECT_THROW(run(options()), ModelError);
  PredictOptions wrong = options();
  wrong.passes = 0;
  EXPECT_THROW(run(wrong), UsageError);
  EXPECT_FALSE(fs::exists(root_ / "out"));
}

TEST_F(Predict, NetworkThatCannotBeUsedIsAnErrorBeforeAnyRecord) {
  services_.load_segmenter = [](const Bundle&,
                                const SegmenterOptions&) -> std::unique_ptr<Segmenter> {
    throw ModelError("no active dropout");
  };
  EXPECT_THROW(run(options()), ModelError);
  EXPECT_FALSE(fs::exists(root_ / "out" / "run.json"));
  EXPECT_FALSE(fs::exists(root_ / "out" / "cases"));
}

TEST_F(Predict, PassesThatAnEnsembleCannotShareEvenlyAreRefusedBeforeAnyWork) {
  const auto complaint = [&](int networks, int passes, const char* mirror = "") -> std::string {
    testing::write_fake_bundle(root_ / "model", [&](nlohmann::json& model) {
      testing::make_fake_ensemble(root_ / "model", networks, model);
      model["format"] = 2;
      model["mirror"] = mirror;
    });
    PredictOptions wanted = options();
    wanted.passes = passes;
    try {
      plan_scans(wanted);
    } catch (const UsageError& error) {
      EXPECT_THROW(run(wanted), UsageError);
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(
      complaint(3, 20),
      "--passes: expected a multiple of 3, the number of networks in the model, found 20; use "
      "18 or 21");
  EXPECT_EQ(
      complaint(3, 2),
      "--passes: expected a multiple of 3, the number of networks in the model, found 2; use 3");
  EXPECT_EQ(complaint(7, 10'000),
            "--passes: expected a multiple of 7, the number of networks in the model, found 10000; "
            "use 9996");
  EXPECT_EQ(complaint(1, 20, "xyz"),
            "--passes: expected a multiple of 8, the number of mirror images that the model takes, "
            "found 20; use 16 or 24");
  EXPECT_EQ(complaint(3, 20, "y"),
            "--passes: expected a multiple of 6, the number of networks in the model times that of "
            "its mirror images, found 20; use 18 or 24");
  EXPECT_FALSE(fs::exists(root_ / "out"));
  EXPECT_EQ(behaviour_->loads, 0);
  EXPECT_EQ(complaint(1, 20, "xy"), "");
  EXPECT_EQ(complaint(3, 21), "");
  EXPECT_EQ(complaint(5, 20), "");
}

}  // namespace
}  // namespace mcvol
