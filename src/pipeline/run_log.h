#pragma once

#include "mcvol/io/records/run_file.h"
#include "mcvol/network/segmenter/segmenter.h"
#include "mcvol/pipeline/predict.h"
#include "mcvol/timing/stage_timings.h"

#include <chrono>
#include <optional>

#include <nlohmann/json.hpp>

namespace mcvol {

/// The run.json of a run that holds its folder: what it was asked for, how far it is, where its
/// time went.
class RunLog {
 public:
  /// Reads that of the run before. Both must outlive it.
  RunLog(const PredictOptions& options, const PredictPlan& plan);
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;
  ~RunLog();

  /// Again where a network turns out to be needed after all.
  /// @param network none where nothing is to be measured.
  void start(const NetworkSummary* network, int threads, const PredictOutcome& outcome);
  void write(RunFile::State state, const PredictOutcome& outcome);
  /// Whether the scans of the whole table are of the calibration's kind.
  void set_batch(const std::optional<BatchCheck>& batch);
  /// keep_calibration() is done: earlier calibrations are named no longer.
  void calibration_is_kept();

  /// The memory allowed decides on a flexible window, and is part of the run identity; but another
  /// version may need more memory for the same network.
  /// @throws UsageError where the cases kept were measured with another window.
  void require_same_window(const NetworkSummary& network) const;

  double network_loading_s = 0;
  StageTimings stages;  ///< of all scans so far

 private:
  nlohmann::json window_in_use(const NetworkSummary* network) const;
  nlohmann::json timings() const;
  /// A second signal leaves a run.json that says that the run was interrupted.
  void prepare_last_words();
  void forget_last_words() noexcept;

  const PredictOptions& options_;
  const PredictPlan& plan_;
  std::optional<RunFile> earlier_;
  RunFile file_;
  std::filesystem::path last_words_;
  bool has_network_ = false;
  bool calibration_kept_ = false;
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace mcvol
