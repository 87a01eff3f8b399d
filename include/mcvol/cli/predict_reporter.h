#pragma once

#include "mcvol/pipeline/predict.h"

#include <chrono>
#include <filesystem>
#include <string>

namespace mcvol {

struct ReporterOptions {
  enum class Print { kNothing, kCsv, kJsonLines };

  Print print = Print::kNothing;         ///< rows on stdout as scans finish
  bool progress_line = false;            ///< one line on stderr that is overwritten
  bool uncalibrated_on_purpose = false;  ///< no warning about a missing calibration
  bool open_ended = false;  ///< scans may need less than the progress line reckons with
};

/// Tells the user how a run goes: the log and a progress line on stderr, rows on stdout.
class PredictReporter : public PredictObserver {
 public:
  explicit PredictReporter(ReporterOptions options);
  ~PredictReporter() override;
  PredictReporter(const PredictReporter&) = delete;
  PredictReporter& operator=(const PredictReporter&) = delete;

  void warn(const std::string& message) override;
  void note(const std::string& message) override;
  void planned(const PredictPlan& plan) override;
  void network_loaded(const NetworkSummary& summary) override;
  void started(int position, int count, const std::string& case_id) override;
  void progress(double share) override;
  /// @throws Error when stdout cannot be written, for instance because its reader is gone.
  void finished(const FinishedCase& finished) override;
  void kept_despite(const std::string& case_id, const std::string& reason) override;

  /// The last line of the log.
  void sum_up(const PredictOutcome& outcome);

 private:
  void show(const std::string& line);
  void wipe();

  ReporterOptions options_;
  std::filesystem::path table_;
  int position_ = 0, count_ = 0;
  std::string case_id_;
  std::chrono::steady_clock::time_point begin_, shown_at_;
  std::size_t shown_width_ = 0;  ///< characters of the progress line on the terminal
};

/// That only numbers in the names of files chose the channels, and which number is which.
void say_channels_by_number(const Bundle& bundle);

/// "2 h 05 min", "3 min 07 s", "12 s".
std::string describe_duration(double seconds);

}  // namespace mcvol
