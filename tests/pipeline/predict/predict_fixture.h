#pragma once

#include "mcvol/io/records/run_file.h"
#include "mcvol/pipeline/predict.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "pipeline/fake_bundle.h"
#include "pipeline/fake_segmenter.h"
#include <gtest/gtest.h>

namespace mcvol::testing {

/// Remembers what it was told; `on_finished` may throw.
class Listener : public PredictObserver {
 public:
  void warn(const std::string& message) override { warnings.push_back(message); }
  void note(const std::string& message) override { notes.push_back(message); }
  void planned(const PredictPlan& plan) override {
    to_measure = plan.count(CaseAction::kMeasure);
    notes.insert(notes.end(), plan.notes.begin(), plan.notes.end());
  }
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

  std::vector<std::string> warnings, notes, order, kept;
  std::vector<CaseRecord> records;
  std::function<void()> on_finished;
  int to_measure = -1;
};

/// Runs on three scans, case_a to case_c in scans/, with a network that is none.
class Predict : public ::testing::Test {
 protected:
  void SetUp() override;

  PredictOptions options(const std::string& out = "out") const;
  PredictOutcome run(const PredictOptions& options);
  /// On the three cases of out/, for level 0.5.
  void calibrate_on_results(const std::filesystem::path& output) const;
  /// Measures, calibrates into calibration.json, and applies that. @returns the last run's options.
  PredictOptions calibrated_run();
  std::string table(const std::string& out = "out") const;
  RunFile run_file(const std::string& out = "out") const;
  /// The record of a case in out/.
  CaseRecord record(const std::string& case_id) const;

  std::filesystem::path root_ = fresh_folder("predict");
  std::shared_ptr<FakeSegmenter::Behaviour> behaviour_ =
      std::make_shared<FakeSegmenter::Behaviour>();
  PredictServices services_;
  Listener listener_;              ///< of the last run()
  std::int64_t memory_bytes_ = 0;  ///< what the last network loaded was allowed
};

}  // namespace mcvol::testing
