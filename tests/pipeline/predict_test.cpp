#include "mcvol/pipeline/predict.h"

#include "mcvol/analysis/calibrate.h"
#include "mcvol/analysis/tabulate.h"
#include "mcvol/files/text_file.h"
#include "mcvol/io/records/run_file.h"
#include "mcvol/io/records/run_lock.h"
#include "mcvol/io/records/thumbnail.h"
#include "mcvol/pipeline/merge.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <new>
#include <set>
#include <stdexcept>

#include "pipeline/fake_bundle.h"
#include "pipeline/fake_segmenter.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;

/// Remembers what it was told; `on_finished` may throw.
class Listener : public PredictObserver {
 public:
  void warn(const std::string& message) override { warnings.push_back(message); }
  void planned(const PredictPlan& plan) override { to_measure = plan.count(CaseAction::kMeasure); }
  void network_loaded(const NetworkSummary&) override {}
  void started(int, int, const std::string& case_id) override { order.push_back(case_id); }
  void progress(double) override {}
  void finished(const FinishedCase& one) override {
    records.push_back(one.record);
    if (on_finished) on_finished();
  }
  void kept_despite(const std::string& case_id, const std::string&) override {
    kept.push_back(case_id);
  }

  std::vector<std::string> warnings, order, kept;
  std::vector<CaseRecord> records;
  std::function<void()> on_finished;
  int to_measure = -1;
};

class Predict : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::write_fake_bundle(root_ / "model");
    testing::write_fake_scan(root_ / "scans", "case_a", 1);
    testing::write_fake_scan(root_ / "scans", "case_b", 2);
    testing::write_fake_scan(root_ / "scans", "case_c", 3);
    services_.load_segmenter = [this](const Bundle&, const SegmenterOptions& wanted) {
      behaviour_->loads += 1;
      memory_bytes_ = wanted.memory_bytes;
      return std::make_unique<testing::FakeSegmenter>(behaviour_);
    };
    services_.stop = [] { return std::nullopt; };
  }

  PredictOptions options(const std::string& out = "out") const {
    PredictOptions options;
    options.scans = {root_ / "scans"};
    options.model = root_ / "model";
    options.output = root_ / out;
    options.passes = 3;
    options.threads = 1;
    options.version = "0.0.0";
    return options;
  }
  PredictOutcome run(const PredictOptions& options) {
    listener_ = Listener();
    return predict(options, services_, listener_);
  }
  /// On the three cases of out/, for level 0.5.
  void calibrate_on_results(const fs::path& output) const {
    write_file_atomically(root_ / "references.csv",
                          "case_id,region,volume_ml\ncase_a,whole,1\ncase_b,whole,2\n"
                          "case_c,whole,1.5\ncase_a,core,1\ncase_b,core,1.2\ncase_c,core,0\n");
    CalibrateOptions calibration;
    calibration.results = root_ / "out";
    calibration.references.path = root_ / "references.csv";
    calibration.output = output;
    calibration.levels = parse_levels({"0.5"});
    calibrate(calibration);
  }
  std::string table(const std::string& out = "out") const {
    return read_file(root_ / out / "volumes.csv");
  }
  RunFile run_file(const std::string& out = "out") const {
    return read_run_file(root_ / out).value();
  }
  CaseRecord record(const std::string& case_id) const {
    return read_case_record(root_ / "out" / "cases" / (case_id + ".json"));
  }

  fs::path root_ = testing::fresh_folder("predict");
  std::shared_ptr<testing::FakeSegmenter::Behaviour> behaviour_ =
      std::make_shared<testing::FakeSegmenter::Behaviour>();
  PredictServices services_;
  Listener listener_;
  std::int64_t memory_bytes_ = 0;  ///< what the last network loaded was allowed
};

TEST_F(Predict, MeasuresEveryScanIntoRecordsTableAndRunFile) {
  const PredictOutcome outcome = run(options());
  EXPECT_EQ(outcome.exit_code, ExitCode::kSuccess);
  EXPECT_EQ(outcome.found, 3);
  EXPECT_EQ(outcome.measured, 3);
  EXPECT_EQ(listener_.order, (std::vector<std::string>{"case_a", "case_b", "case_c"}));
  const CaseRecord first = record("case_a");
  ASSERT_EQ(first.regions.size(), 2u);
  EXPECT_EQ(first.regions[0].region, "whole");
  EXPECT_EQ(first.regions[0].passes.size(), 3u);
  EXPECT_EQ(first.inputs.size(), 2u);
  const RunFile state = run_file();
  EXPECT_EQ(state.state, RunFile::State::kComplete);
  EXPECT_EQ(state.done, 3);
  EXPECT_EQ(state.device, "fake");
  EXPECT_FALSE(state.ended.empty());
}

TEST_F(Predict, RunFileSaysWhereTheTimeWent) {
  behaviour_->device = "cpu";
  run(options());
  const nlohmann::json timings_s = run_file().timings_s;
  for (const char* stage : {"network_loading", "read", "prepare", "network", "prefix", "suffix",
                            "accumulate", "write", "total"}) {
    EXPECT_GE(timings_s.value(stage, -1.0), 0.0) << stage;
  }
  for (const char* stage : {"read", "prepare", "suffix", "accumulate", "write"}) {
    EXPECT_GT(timings_s[stage], 0.0) << stage;
  }
  EXPECT_LE(timings_s["suffix"].get<double>() + timings_s["accumulate"].get<double>(),
            timings_s["network"]);
  EXPECT_LE(timings_s["network"].get<double>() + timings_s["write"].get<double>(),
            timings_s["total"]);
}

TEST_F(Predict, StagesOfANetworkThatIsNotOnTheCpuAreNull) {
  run(options());
  const nlohmann::json timings_s = run_file().timings_s;
  for (const char* stage : {"prefix", "suffix", "accumulate"}) {
    EXPECT_TRUE(timings_s.at(stage).is_null()) << stage;
  }
  EXPECT_GT(timings_s["network"], 0.0);
}

TEST_F(Predict, KeepsASliceOfEachScanThatFitsItsRecord) {
  run(options());
  for (const char* case_id : {"case_a", "case_b", "case_c"}) {
    const Thumbnail slice = read_thumbnail(thumbnail_path(root_ / "out", case_id),
                                           record(case_id).grid, record(case_id).regions.size());
    EXPECT_GT(*std::max_element(slice.scan.begin(), slice.scan.end()), 0);
  }
  EXPECT_EQ(run_file().options["thumbnails"], "flair");
  EXPECT_TRUE(listener_.warnings.empty());
}

TEST_F(Predict, SlicesHaveTheSameBytesForAnyBlocksAndOrderOfPasses) {
  run(options("whole"));
  behaviour_->block_size = 7;
  behaviour_->passes_backwards = true;
  run(options());
  for (const char* case_id : {"case_a", "case_b", "case_c"}) {
    EXPECT_EQ(read_file(thumbnail_path(root_ / "out", case_id)),
              read_file(thumbnail_path(root_ / "whole", case_id)));
  }
}

TEST_F(Predict, ResumedRunKeepsSlicesAndMissesNoneThatIsGone) {
  run(options());
  const fs::path kept = thumbnail_path(root_ / "out", "case_a");
  const std::string before = read_file(kept);
  fs::remove(thumbnail_path(root_ / "out", "case_b"));
  EXPECT_EQ(run(options()).kept, 3);
  EXPECT_EQ(read_file(kept), before);
  EXPECT_FALSE(fs::exists(thumbnail_path(root_ / "out", "case_b")));
  EXPECT_TRUE(listener_.warnings.empty());
}

TEST_F(Predict, WithoutThumbnailsKeepsNoneOfWhatIsMeasured) {
  run(options());
  PredictOptions without = options();
  without.thumbnails = false;
  fs::remove(root_ / "out" / "cases" / "case_b.json");
  EXPECT_EQ(run(without).measured, 1);
  EXPECT_TRUE(fs::exists(thumbnail_path(root_ / "out", "case_a")));
  EXPECT_FALSE(fs::exists(thumbnail_path(root_ / "out", "case_b")));
  EXPECT_TRUE(run_file().options["thumbnails"].is_null());
  without.output = root_ / "other";
  run(without);
  EXPECT_FALSE(fs::exists(root_ / "other" / "thumbnails"));
  EXPECT_EQ(table("other"), table());
}

TEST_F(Predict, SliceThatCannotBeWrittenIsAWarningAndTheCaseIsMeasured) {
  write_file_atomically(root_ / "out" / "thumbnails", "a file in the way");
  const PredictOutcome outcome = run(options());
  EXPECT_EQ(outcome.exit_code, ExitCode::kSuccess);
  EXPECT_EQ(outcome.measured, 3);
  ASSERT_EQ(listener_.warnings.size(), 3u);
  EXPECT_EQ(listener_.warnings[0].find("case_a: measured, but without a picture: "), 0u)
      << listener_.warnings[0];
}

TEST_F(Predict, CaseThatFailsNowHasNoSliceOfEarlier) {
  run(options());
  const fs::path file = root_ / "scans" / "case_b" / "case_b_t1.nii.gz";
  write_file_atomically(file, read_file(file).substr(0, 100));
  run(options());
  EXPECT_FALSE(fs::exists(thumbnail_path(root_ / "out", "case_b")));
  EXPECT_TRUE(fs::exists(thumbnail_path(root_ / "out", "case_c")));
}

TEST_F(Predict, TableHasTheBytesThatTheRecordsGive) {
  run(options());
  const std::string written = table();
  EXPECT_EQ(written.find("\ncase_a,whole,0.9,"), written.find('\n'));
  TabulateOptions tabulation;
  tabulation.results = root_ / "out";
  EXPECT_EQ(tabulate(tabulation).csv(), written);
}

TEST_F(Predict, FinishedFolderLoadsNoNetwork) {
  run(options());
  const std::string before = table();
  const PredictOutcome outcome = run(options());
  EXPECT_EQ(outcome.kept, 3);
  EXPECT_EQ(outcome.exit_code, ExitCode::kSuccess);
  EXPECT_EQ(behaviour_->loads, 1);
  EXPECT_EQ(behaviour_->runs, 3);
  EXPECT_EQ(table(), before);
  EXPECT_EQ(run_file().device, "fake");
}

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

TEST_F(Predict, RecordsHoldAPassWithoutDropout) {
  run(options());
  ASSERT_EQ(record("case_a").regions[0].without_dropout.size(), 1u);
  EXPECT_NE(record("case_a").regions[0].without_dropout[0], record("case_a").regions[0].passes[0]);
}

TEST_F(Predict, OtherLevelNeedsNoNetwork) {
  run(options());
  PredictOptions other = options();
  other.levels = parse_levels({"0.9", "0.5"});
  run(other);
  EXPECT_EQ(behaviour_->loads, 1);
  EXPECT_NE(table().find("case_a,whole,0.5,"), std::string::npos);
}

TEST_F(Predict, ChangedScanIsMeasuredAgainAndATouchedOneIsNot) {
  run(options());
  const fs::path touched = root_ / "scans" / "case_a" / "case_a_t1.nii.gz";
  fs::last_write_time(touched, fs::last_write_time(touched) + std::chrono::hours(1));
  testing::write_fake_scan(root_ / "scans", "case_b", 9);
  const fs::path changed = root_ / "scans" / "case_b" / "case_b_t1.nii.gz";
  fs::last_write_time(changed, fs::last_write_time(changed) + std::chrono::hours(1));
  run(options());
  EXPECT_EQ(listener_.order, std::vector<std::string>{"case_b"});
}

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
  services_.load_scan = [&](const std::vector<fs::path>& files, const ScanPreparation& how,
                            StageTimings& timings) {
    if (files[0].string().find("case_b") != std::string::npos && ++loads_of_b == 1) {
      throw std::bad_alloc();
    }
    return load_scan(files, how, timings);
  };
  EXPECT_EQ(run(options()).measured, 3);
  EXPECT_EQ(loads_of_b, 2);
}

TEST_F(Predict, ScanWithNothingToMeasureFails) {
  services_.load_scan = [&](const std::vector<fs::path>& files, const ScanPreparation& how,
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

TEST_F(Predict, OtherRunIdentityIsRefusedBeforeAnyWork) {
  run(options());
  const std::string before = table();
  PredictOptions other = options();
  other.seed = 5;
  try {
    run(other);
    ADD_FAILURE();
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("seed"), std::string::npos) << error.what();
  }
  EXPECT_EQ(behaviour_->loads, 1);
  EXPECT_EQ(table(), before);
}

TEST_F(Predict, FreshReplacesEachRecordOnlyOnceTheNewOneIsWhole) {
  run(options());
  const std::string old_identity = record("case_a").run_identity;
  PredictOptions other = options();
  other.seed = 5;
  other.fresh = true;
  behaviour_->on_run = [](int number) {
    if (number == 5) throw Error("the device is gone");  // the second of this run
  };
  EXPECT_THROW(run(other), Error);
  EXPECT_NE(record("case_a").run_identity, old_identity);
  EXPECT_EQ(record("case_b").run_identity, old_identity);
  EXPECT_EQ(record("case_b").status, CaseRecord::Status::kOk);
  behaviour_->on_run = {};
  other.fresh = false;
  run(other);
  EXPECT_EQ(listener_.order, (std::vector<std::string>{"case_b", "case_c"}));
  other.output = root_ / "other";
  run(other);
  EXPECT_EQ(table(), table("other"));
}

TEST_F(Predict, InterruptedAnywhereAndResumedGivesTheSameTable) {
  run(options("whole"));
  behaviour_->block_size = 100;
  for (int asked_before_stop = 1; asked_before_stop < 12; ++asked_before_stop) {
    const std::string out = "cut_" + std::to_string(asked_before_stop);
    int asked = 0;
    services_.stop = [&]() -> std::optional<ExitCode> {
      if (++asked < asked_before_stop) return std::nullopt;
      return ExitCode::kTerminated;
    };
    const PredictOutcome cut = run(options(out));
    EXPECT_EQ(cut.exit_code, ExitCode::kTerminated);
    EXPECT_EQ(run_file(out).state, RunFile::State::kInterrupted);
    EXPECT_EQ(run_file(out).done, cut.measured);
    services_.stop = [] { return std::nullopt; };
    const PredictOutcome rest = run(options(out));
    EXPECT_EQ(rest.exit_code, ExitCode::kSuccess);
    EXPECT_EQ(rest.kept, cut.measured);
    EXPECT_EQ(table(out), table("whole"));
    EXPECT_EQ(run_file(out).state, RunFile::State::kComplete);
  }
}

TEST_F(Predict, BlocksAndTableWritesInBetweenDoNotChangeABit) {
  run(options("whole"));
  behaviour_->block_size = 7;
  PredictOptions often = options("often");
  often.table_interval_s = 0;
  run(often);
  EXPECT_EQ(table("often"), table("whole"));
  EXPECT_EQ(read_file(root_ / "often" / "cases" / "case_b.json"),
            read_file(root_ / "whole" / "cases" / "case_b.json"));
}

TEST_F(Predict, MergedShardsGiveTheSameTable) {
  fs::remove(root_ / "scans" / "case_c" / "case_c_t1.nii.gz");
  run(options("whole"));
  int found = 0;
  for (int index = 1; index <= 3; ++index) {
    PredictOptions part = options("parts");
    part.shard = Shard{index, 3};
    found += run(part).found;
    EXPECT_TRUE(fs::exists(shard_folder(root_ / "parts", *part.shard) / "volumes.csv"));
  }
  EXPECT_EQ(found, 3);
  MergeOptions merging;
  merging.sources = {root_ / "parts"};
  merging.out = root_ / "parts";
  EXPECT_TRUE(merge_results(merging).complete);
  EXPECT_EQ(table("parts"), table("whole"));
  for (const char* case_id : {"case_a", "case_b"}) {
    EXPECT_EQ(read_file(thumbnail_path(root_ / "parts", case_id)),
              read_file(thumbnail_path(root_ / "whole", case_id)));
  }
  EXPECT_FALSE(fs::exists(thumbnail_path(root_ / "parts", "case_c")));
}

TEST_F(Predict, EmptyShardIsASuccess) {
  PredictOptions part = options();
  part.shard = Shard{1, 1000};
  while (part.shard->holds("case_a") || part.shard->holds("case_b") ||
         part.shard->holds("case_c")) {
    part.shard->index += 1;
  }
  const PredictOutcome outcome = run(part);
  EXPECT_EQ(outcome.found, 0);
  EXPECT_EQ(outcome.exit_code, ExitCode::kSuccess);
  EXPECT_EQ(behaviour_->loads, 0);
}

TEST_F(Predict, RecordsOfScansThatAreGoneStayInTheTable) {
  run(options());
  const std::string before = table();
  fs::remove_all(root_ / "scans" / "case_b");
  run(options());
  EXPECT_EQ(table(), before);
}

TEST_F(Predict, FreshRunOfSomeCasesMarksTheRowsOfTheOthers) {
  run(options());
  PredictOptions other = options();
  other.scans = {root_ / "scans" / "case_a"};
  other.seed = 1;
  other.fresh = true;
  run(other);
  ASSERT_EQ(listener_.warnings.size(), 1u);
  EXPECT_NE(listener_.warnings[0].find("2 case(s)"), std::string::npos) << listener_.warnings[0];
  std::istringstream lines(table());
  for (std::string line; std::getline(lines, line);) {
    const bool marked = line.find("other_run") != std::string::npos;
    EXPECT_EQ(marked, line.starts_with("case_b") || line.starts_with("case_c")) << line;
  }
}

TEST_F(Predict, InterruptedFreshRunMarksTheRowsItDidNotReplace) {
  run(options());
  PredictOptions other = options();
  other.seed = 1;
  other.fresh = true;
  services_.stop = [this]() -> std::optional<ExitCode> {
    if (listener_.records.empty()) return std::nullopt;
    return ExitCode::kTerminated;
  };
  EXPECT_EQ(run(other).exit_code, ExitCode::kTerminated);
  ASSERT_EQ(listener_.warnings.size(), 1u);
  EXPECT_NE(listener_.warnings[0].find("2 case(s)"), std::string::npos) << listener_.warnings[0];
  std::istringstream lines(table());
  for (std::string line; std::getline(lines, line);) {
    const bool marked = line.find("other_run") != std::string::npos;
    EXPECT_EQ(marked, line.starts_with("case_b") || line.starts_with("case_c")) << line;
  }
  services_.stop = [] { return std::nullopt; };
  other.fresh = false;
  run(other);
  EXPECT_TRUE(listener_.warnings.empty());
  EXPECT_EQ(table().find("other_run"), std::string::npos);
}

TEST_F(Predict, WhatAKilledRunLeftHalfWrittenIsClearedUnderTheLock) {
  const fs::path out = root_ / "out";
  const fs::path record = out / "cases" / ".case_a.json.tmp-123-4";
  const fs::path table = out / ".volumes.csv.tmp-123-0";
  const fs::path slice = out / "thumbnails" / ".case_a.png.tmp-123-5";
  write_file_atomically(record, "{");
  write_file_atomically(slice, "");
  write_file_atomically(table, "case_id");
  {
    const RunLock other(out);
    EXPECT_THROW(run(options()), FolderLockedError);
    EXPECT_TRUE(fs::exists(record)) << "may be the other run's";
  }
  run(options());
  EXPECT_FALSE(fs::exists(record));
  EXPECT_FALSE(fs::exists(table));
  EXPECT_FALSE(fs::exists(slice));
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

TEST_F(Predict, RecordThatCannotBeReadIsNamedAndMadeAgain) {
  run(options());
  const std::string before = table();
  write_file_atomically(root_ / "out" / "cases" / "case_b.json", "{");
  run(options());
  ASSERT_EQ(listener_.warnings.size(), 1u);
  EXPECT_NE(listener_.warnings[0].find("case_b.json"), std::string::npos);
  EXPECT_EQ(listener_.order, std::vector<std::string>{"case_b"});
  EXPECT_EQ(table(), before);
}

TEST_F(Predict, PassesInAnotherOrderDoNotChangeAByte) {
  PredictOptions many = options("whole");
  many.passes = 13;
  run(many);
  behaviour_->passes_backwards = true;
  many.output = root_ / "backwards";
  run(many);
  EXPECT_EQ(table("backwards"), table("whole"));
  EXPECT_EQ(read_file(root_ / "backwards" / "cases" / "case_b.json"),
            read_file(root_ / "whole" / "cases" / "case_b.json"));
}

TEST_F(Predict, PassesThatAnEnsembleCannotShareEvenlyAreRefusedBeforeAnyWork) {
  const auto complaint = [&](int networks, int passes) -> std::string {
    testing::write_fake_bundle(root_ / "model", [&](nlohmann::json& model) {
      testing::make_fake_ensemble(root_ / "model", networks, model);
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
  EXPECT_FALSE(fs::exists(root_ / "out"));
  EXPECT_EQ(behaviour_->loads, 0);
  EXPECT_EQ(complaint(3, 21), "");
  EXPECT_EQ(complaint(5, 20), "");
}

/// Passes that differ as if drawn, by this much: standard errors of a few percent of the width.
float drawn_shift(int pass) { return 1.2f * static_cast<float>(std::sin(12.9898 * (pass + 1))); }

TEST_F(Predict, AToleranceStopsEachScanWhereFixedPassesGiveTheSameNumbers) {
  behaviour_->shift = drawn_shift;
  PredictOptions settled = options();
  settled.mc_tolerance = 0.025;
  run(settled);
  EXPECT_GT(record("case_a").passes, 20);
  std::set<int> numbers;
  for (const char* case_id : {"case_a", "case_b", "case_c"}) {
    const CaseRecord found = record(case_id);
    EXPECT_TRUE(found.flags.empty());
    numbers.insert(found.passes);
    PredictOptions fixed = options("fixed_" + std::to_string(found.passes));
    fixed.passes = found.passes;
    run(fixed);
    CaseRecord expected = read_case_record(fixed.output, case_id);
    for (std::size_t region = 0; region < expected.regions.size(); ++region) {
      EXPECT_EQ(found.regions[region].monte_carlo_error,
                expected.regions[region].monte_carlo_error);
    }
    expected.run_identity = found.run_identity;
    EXPECT_TRUE(found.same_measurement(expected)) << case_id;
    EXPECT_NE(table().find("\n" + std::string(case_id) + ",whole,0.9,,,,"), std::string::npos);
  }
  // The rows of a scan are those of its number of passes.
  std::string rows = volume_csv_header();
  for (const char* case_id : {"case_a", "case_b", "case_c"}) {
    const std::string of = table("fixed_" + std::to_string(record(case_id).passes));
    const std::size_t begin = of.find(std::string("\n") + case_id) + 1;
    const std::size_t next = of.find("\ncase_", of.rfind(std::string("\n") + case_id) + 1);
    rows += of.substr(begin, next == of.npos ? of.npos : next + 1 - begin);
  }
  EXPECT_EQ(table(), rows);
}

TEST_F(Predict, ATightToleranceEndsAtTheMostPassesWithAFlag) {
  // One pass of twenty is far off: the upper bound lies where few volumes are, whatever the passes.
  behaviour_->shift = [](int pass) { return pass % 20 == 7 ? 3.0f : 0.0f; };
  PredictOptions settled = options();
  settled.mc_tolerance = 1e-6;
  EXPECT_EQ(run(settled).exit_code, ExitCode::kSuccess);
  EXPECT_EQ(record("case_b").passes, 320);
  EXPECT_EQ(record("case_b").flags, std::vector<std::string>{"mc_tolerance_missed"});
  EXPECT_NE(table().find(",320,ok,mc_tolerance_missed;uncalibrated,"), std::string::npos)
      << table();
}

TEST_F(Predict, AToleranceIsKeptWhereNothingChangedAndOthersAreRefusedByName) {
  PredictOptions settled = options();
  settled.mc_tolerance = 0.05;
  run(settled);
  const std::string before = table();
  settled.passes = 7;  // Takes no part.
  settled.levels = parse_levels({"0.5"});
  EXPECT_EQ(run(settled).kept, 3);
  EXPECT_NE(table(), before);
  settled.levels = parse_levels({"0.9"});
  run(settled);
  EXPECT_EQ(table(), before);
  const auto refusal = [&](const PredictOptions& other) -> std::string {
    try {
      run(other);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "none";
  };
  const std::string made = (root_ / "out").string() + ": its results were made with ";
  const std::string todo = "; use another --out, or --fresh to start again";
  EXPECT_EQ(refusal(options()), made + "passes \"auto\", this run has 3" + todo);
  PredictOptions other = settled;
  other.mc_tolerance = 0.1;
  EXPECT_EQ(refusal(other), made + "mc_tolerance 0.05, this run has 0.1" + todo);
  EXPECT_EQ(run_file().options["passes"], "auto");
  EXPECT_EQ(run_file().options["mc_tolerance"], 0.05);
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

TEST_F(Predict, FixedPassesRecordTheirMonteCarloErrorToo) {
  PredictOptions fixed = options();
  run(fixed);
  const CaseRecord found = record("case_a");
  const VolumeDistribution volumes(found.regions[0].passes, found.grid.voxel_volume_ml(), {});
  EXPECT_EQ(found.regions[0].monte_carlo_error, monte_carlo_error(volumes, 0.9));
  fixed.passes = 1;
  fixed.fresh = true;
  run(fixed);
  EXPECT_EQ(record("case_a").regions[0].monte_carlo_error, std::nullopt);
}

TEST_F(Predict, StopBetweenTwoRequestsLeavesTheScanForTheNextRun) {
  behaviour_->shift = drawn_shift;
  PredictOptions settled = options();
  settled.mc_tolerance = 0.025;
  run(settled);
  settled.output = root_ / "cut";
  services_.stop = [this, before = behaviour_->runs]() -> std::optional<ExitCode> {
    if (behaviour_->runs > before + 1) return ExitCode::kInterrupted;
    return std::nullopt;
  };
  EXPECT_EQ(run(settled).exit_code, ExitCode::kInterrupted);
  EXPECT_FALSE(fs::exists(root_ / "cut" / "cases" / "case_a.json"));
  services_.stop = [] { return std::nullopt; };
  run(settled);
  EXPECT_EQ(table("cut"), table());
}

TEST_F(Predict, MemoryReachesTheNetworkAndIsFreeWhereTheWindowIsFixed) {
  PredictOptions wanted = options();
  wanted.memory_bytes = std::int64_t{1} << 30;
  run(wanted);
  EXPECT_EQ(memory_bytes_, wanted.memory_bytes);
  const std::string before = table();
  wanted.memory_bytes *= 2;
  EXPECT_EQ(run(wanted).kept, 3);
  EXPECT_EQ(table(), before);
  EXPECT_EQ(run_file().options["memory_bytes"], std::int64_t{2} << 30);
}

class FlexibleWindow : public Predict {
 protected:
  void SetUp() override {
    Predict::SetUp();
    testing::write_fake_bundle(root_ / "model",
                               [](nlohmann::json& model) { model["window"]["flexible"] = true; });
    behaviour_->window = {16, 16, 24};
  }
  static nlohmann::json window_of(const std::array<std::int64_t, 3>& size) {
    return {{"input", size}, {"output", size}};
  }
};

TEST_F(Predict, RunFileHoldsTheBundlesWindowUnlessThatIsFlexible) {
  behaviour_->window = {16, 16, 24};
  run(options());
  EXPECT_EQ(run_file().options["window"],
            nlohmann::json::parse(R"({"input": [8, 8, 8], "output": [8, 8, 8]})"));
}

TEST_F(FlexibleWindow, InUseIsHeldByTheRunFileAndKeptWhereNothingIsMeasured) {
  run(options());
  EXPECT_EQ(run_file().options["window"], window_of({16, 16, 24}));
  EXPECT_EQ(run(options()).kept, 3);
  EXPECT_EQ(behaviour_->loads, 1);
  EXPECT_EQ(run_file().options["window"], window_of({16, 16, 24}));
}

TEST_F(FlexibleWindow, IsUnknownWhereNoNetworkWasEverLoaded) {
  for (const char* case_id : {"case_a", "case_b", "case_c"}) {
    fs::remove(root_ / "scans" / case_id / (std::string(case_id) + "_t1.nii.gz"));
  }
  run(options());
  EXPECT_EQ(behaviour_->loads, 0);
  EXPECT_TRUE(run_file().options["window"].is_null());
}

TEST_F(FlexibleWindow, OtherMemoryInTheSameFolderIsRefusedNamingIt) {
  run(options());
  PredictOptions other = options();
  other.memory_bytes *= 2;
  try {
    run(other);
    ADD_FAILURE();
  } catch (const UsageError& error) {
    EXPECT_EQ(std::string(error.what()),
              (root_ / "out").string() +
                  ": its results were made with window.memory_bytes 4294967296, this run has "
                  "8589934592; use another --out, or --fresh to start again");
  }
  other.fresh = true;
  EXPECT_EQ(run(other).measured, 3);
  EXPECT_EQ(memory_bytes_, other.memory_bytes);
}

// Another version may find that the same network needs more memory.
TEST_F(FlexibleWindow, AnotherWindowForTheSameMemoryIsRefusedWhereResultsAreKept) {
  run(options());
  fs::remove(root_ / "out" / "cases" / "case_b.json");
  behaviour_->window = {16, 16, 16};
  try {
    run(options());
    ADD_FAILURE();
  } catch (const UsageError& error) {
    EXPECT_NE(std::string(error.what()).find("[16,16,24]"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("[16,16,16]"), std::string::npos) << error.what();
  }
  EXPECT_EQ(run_file().options["window"], window_of({16, 16, 24}));
}

TEST_F(Predict, FolderHeldByAnotherRunIsLeftAlone) {
  const RunLock lock(root_ / "out");
  EXPECT_THROW(run(options()), FolderLockedError);
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

TEST_F(Predict, PlanSaysWhatIsKeptMeasuredAndRefused) {
  run(options());
  fs::remove(root_ / "scans" / "case_c" / "case_c_t1.nii.gz");
  testing::write_fake_scan(root_ / "scans", "case_d", 4);
  PredictPlan plan = plan_scans(options());
  check_run_identity(plan, false);
  ResultFolder results(plan.folder, options().levels, plan.identity_sha256, nullptr);
  EXPECT_TRUE(results.load().empty());
  keep_finished(plan, results, false);
  ASSERT_EQ(plan.cases.size(), 4u);
  EXPECT_EQ(plan.cases[0].action, CaseAction::kKeep);
  EXPECT_EQ(plan.cases[2].action, CaseAction::kRefuse);
  EXPECT_NE(plan.cases[2].reason.find("t1"), std::string::npos);
  EXPECT_EQ(plan.cases[3].action, CaseAction::kMeasure);
  EXPECT_EQ(plan.cases[3].reason, "");
}

}  // namespace
}  // namespace mcvol
