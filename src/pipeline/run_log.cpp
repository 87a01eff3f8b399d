#include "run_log.h"

#include "mcvol/analysis/calibration_use.h"
#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"
#include "mcvol/pipeline/interrupt.h"
#include "mcvol/pipeline/thumbnail_slice.h"
#include "mcvol/timing/utc_time.h"

#include <string>
#include <system_error>

#include <unistd.h>

namespace mcvol {

RunLog::RunLog(const PredictOptions& options, const PredictPlan& plan)
    : options_(options),
      plan_(plan),
      earlier_(read_run_file(plan.folder)),
      // A temporary file by its name: one that a killed run left goes with the others.
      last_words_(plan.folder / (".run.json.tmp-" + std::to_string(::getpid()) + "-0")) {}

RunLog::~RunLog() { forget_last_words(); }

void RunLog::require_same_window(const NetworkSummary& network) const {
  const bool keeps_cases = plan_.count(CaseAction::kKeep) > 0;
  if (!plan_.bundle.window.flexible || !keeps_cases || !earlier_) return;
  const nlohmann::json before = earlier_->options.value("window", nlohmann::json());
  const nlohmann::json now = window_in_use(&network);
  if (before.is_null() || before == now) return;
  throw UsageError(plan_.folder.string() + ": its results were made with the window " +
                   before.dump() + ", this version of mcvol chooses " + now.dump() +
                   " for the same --memory; use another --out, or --fresh to start again");
}

void RunLog::start(const NetworkSummary* network, int threads, const PredictOutcome& outcome) {
  has_network_ = network != nullptr;
  file_.found = outcome.found;
  file_.version = options_.version;
  file_.commit = options_.commit;
  file_.libraries = options_.libraries;
  file_.model = plan_.bundle.json;
  file_.model_sha256 = plan_.bundle.sha256;
  file_.options = json_of(options_, plan_.scope, plan_.precision, threads);
  file_.options["window"] = window_in_use(network);
  file_.options["thumbnails"] = nullptr;
  if (options_.thumbnails) {
    file_.options["thumbnails"] =
        plan_.bundle.channels[channels_to_show(plan_.bundle).channels.front()].name;
  }
  name_calibrations(file_.options, plan_.calibration.get(), earlier_);
  if (calibration_kept_) calibration_is_kept();
  file_.levels.clear();
  for (const NominalCoverage& level : options_.levels) file_.levels.push_back(level.text);
  file_.identity = plan_.identity;
  file_.started = utc_now();
  if (network != nullptr) {
    file_.device = network->device;
  } else if (earlier_) {
    file_.device = earlier_->device;
  }
  write(RunFile::State::kRunning, outcome);
}

void RunLog::set_batch(const std::optional<BatchCheck>& batch) {
  file_.batch = batch ? json_of(*batch) : nlohmann::json();
}

void RunLog::calibration_is_kept() {
  calibration_kept_ = true;
  file_.options.erase("calibration_before");
}

/// Null as long as a flexible window has not met a network.
nlohmann::json RunLog::window_in_use(const NetworkSummary* network) const {
  const Bundle::Window& window = plan_.bundle.window;
  if (!window.flexible) return {{"input", window.input}, {"output", window.output}};
  if (network != nullptr) {
    return {{"input", network->window_input}, {"output", network->window_output}};
  }
  return earlier_ ? earlier_->options.value("window", nlohmann::json()) : nlohmann::json();
}

nlohmann::json RunLog::timings() const {
  // A GPU works on while the host goes on: when a call returns says nothing about its work.
  const auto of_network = [&](double seconds) {
    return file_.device == "cpu" ? nlohmann::json(seconds) : nlohmann::json();
  };
  const std::chrono::duration<double> total = std::chrono::steady_clock::now() - begin_;
  return {{"network_loading", network_loading_s},
          {"read", stages.read_s},
          {"prepare", stages.prepare_s},
          {"network", stages.network_s},
          {"prefix", of_network(stages.prefix_s)},
          {"suffix", of_network(stages.suffix_s)},
          {"accumulate", of_network(stages.accumulate_s)},
          {"write", stages.write_s},
          {"total", total.count()}};
}

void RunLog::write(RunFile::State state, const PredictOutcome& outcome) {
  file_.state = state;
  file_.done = outcome.kept + outcome.measured;
  file_.failed = outcome.failed;
  if (!has_network_ && earlier_) {
    file_.timings_s = earlier_->timings_s;  // Nothing was measured that would have taken time.
  } else {
    file_.timings_s = timings();
  }
  if (state == RunFile::State::kRunning) {
    prepare_last_words();
  } else {
    file_.ended = utc_now();
    forget_last_words();
  }
  write_run_file(file_, plan_.folder);
}

void RunLog::prepare_last_words() {
  RunFile interrupted = file_;
  interrupted.state = RunFile::State::kInterrupted;
  interrupted.ended = utc_now();
  try {
    write_file_atomically(last_words_, run_file_text(interrupted));
  } catch (const Error&) {
    return;  // An aid for a second signal; where run.json cannot be written either, that is said.
  }
  set_last_words(last_words_, run_file_path(plan_.folder));
}

void RunLog::forget_last_words() noexcept {
  clear_last_words();
  std::error_code ignored;
  std::filesystem::remove(last_words_, ignored);
}

}  // namespace mcvol
