#include "mcvol/cli/predict_reporter.h"

#include "mcvol/cli/logging.h"

#include <algorithm>
#include <cstdio>

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

namespace mcvol {

namespace {

using Clock = std::chrono::steady_clock;

/// Often enough to look alive.
constexpr std::chrono::milliseconds kRedrawInterval(100);

void print(const std::string& text) {
  const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  if (!written || std::fflush(stdout) != 0) {
    throw Error("stdout cannot be written any more; stopped, with everything finished kept");
  }
}

/// "whole_tumour 136.4 ml [107.2, 205.0], …" at the first level.
std::string describe_rows(const std::vector<VolumeRow>& rows) {
  std::string text;
  for (const VolumeRow& row : rows) {
    if (row.level != rows.front().level || !row.raw_volume_ml) continue;
    if (!text.empty()) text += ", ";
    const auto& lower_ml = row.volume_ml ? row.lower_ml : row.raw_lower_ml;
    const auto& upper_ml = row.volume_ml ? row.upper_ml : row.raw_upper_ml;
    text += fmt::format("{} {:.1f} ml", row.region, row.volume_ml.value_or(*row.raw_volume_ml));
    if (lower_ml && upper_ml) text += fmt::format(" [{:.1f}, {:.1f}]", *lower_ml, *upper_ml);
  }
  return text;
}

}  // namespace

std::string describe_duration(double seconds) {
  const auto whole = static_cast<long long>(std::max(0.0, seconds) + 0.5);
  if (whole >= 3600) return fmt::format("{} h {:02} min", whole / 3600, whole / 60 % 60);
  if (whole >= 60) return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  return fmt::format("{} s", whole);
}

void say_channels_by_number(const Bundle& bundle) {
  std::string text;
  for (const Bundle::Channel& channel : bundle.channels) {
    for (const std::string& suffix : channel.suffixes) {
      const bool numbered =
          suffix.size() == 4 && suffix.find_first_not_of("0123456789") == std::string::npos;
      if (numbered)
        text += fmt::format("{}{} is {}", text.empty() ? "" : ", ", suffix, channel.name);
    }
  }
  spdlog::warn(
      "only numbers in the names of files say which channel is which, taken as the model "
      "has them: {}; see that the scans are numbered so",
      text);
}

PredictReporter::PredictReporter(ReporterOptions options) : options_(options) {
  if (options_.progress_line) set_before_log_line([this] { wipe(); });
}

PredictReporter::~PredictReporter() {
  if (!options_.progress_line) return;
  set_before_log_line({});
  wipe();
}

void PredictReporter::warn(const std::string& message) { spdlog::warn("{}", message); }

void PredictReporter::note(const std::string& message) { spdlog::info("{}", message); }

void PredictReporter::planned(const PredictPlan& plan) {
  table_ = plan.folder / "volumes.csv";
  for (const std::string& ignored : plan.ignored) spdlog::debug("passed over: {}", ignored);
  if (!plan.ignored.empty()) {
    spdlog::warn("passed over: {}{}", plan.ignored.front(),
                 plan.ignored.size() == 1
                     ? ""
                     : fmt::format("; and {} more, --list says all", plan.ignored.size() - 1));
  }
  const auto renamed =
      std::find_if(plan.cases.begin(), plan.cases.end(),
                   [](const PlannedCase& planned) { return !planned.scan.found_as.empty(); });
  if (renamed != plan.cases.end()) {
    spdlog::warn("'{}' is no case_id of its own, and is {} here; --list says which others are so",
                 renamed->scan.found_as, renamed->scan.case_id);
  }
  for (const PlannedCase& planned : plan.cases) {
    if (planned.scan.channel_files.empty()) continue;
    spdlog::debug("{}: {}", planned.scan.case_id,
                  describe_channel_files(plan.bundle, planned.scan));
  }
  if (plan.by_number) say_channels_by_number(plan.bundle);
  spdlog::debug("{} cases: {} to measure, {} measured before, {} that cannot be measured",
                plan.cases.size(), plan.count(CaseAction::kMeasure), plan.count(CaseAction::kKeep),
                plan.count(CaseAction::kRefuse));
  for (const std::string& note : plan.notes) spdlog::warn("{}", note);
  if (!plan.calibration && !options_.uncalibrated_on_purpose) {
    spdlog::warn(
        "uncalibrated: the model has no calibration; the raw intervals promise no coverage");
  }
  if (plan.calibration && plan.calibration->other_seed) {
    spdlog::warn(
        "the calibration was made with another --seed, so its coverage is not exactly that; rows "
        "carry the flag other_seed");
  }
  if (!plan.bundle.warning.empty()) spdlog::warn("{}", plan.bundle.warning);
  if (options_.print == ReporterOptions::Print::kCsv) print(volume_csv_header());
  begin_ = Clock::now();
}

void PredictReporter::network_loaded(const NetworkSummary& summary) {
  spdlog::debug("network on {}: {} dropout layers, {} operators once per window, {} per pass",
                summary.device, summary.dropout.size(), summary.prefix_operators,
                summary.suffix_operators);
  spdlog::debug("{} network(s), window {}, output {}, {} passes together", summary.networks,
                fmt::join(summary.window_input, "x"), fmt::join(summary.window_output, "x"),
                summary.passes_per_batch);
  for (const std::string& note : summary.notes) spdlog::debug("{}", note);
  if (!summary.warning.empty()) spdlog::warn("{}", summary.warning);
  begin_ = Clock::now();
}

void PredictReporter::started(int position, int count, const std::string& case_id) {
  position_ = position;
  count_ = count;
  case_id_ = case_id;
  spdlog::debug("{}/{} {}", position, count, case_id);
  shown_at_ = {};
  progress(0.0);
}

void PredictReporter::progress(double share) {
  if (!options_.progress_line || Clock::now() - shown_at_ < kRedrawInterval) return;
  shown_at_ = Clock::now();
  std::string line = fmt::format("{}/{} {} {:3.0f} %", position_, count_, case_id_, 100.0 * share);
  const double done = position_ - 1 + share;
  const double elapsed_s = std::chrono::duration<double>(shown_at_ - begin_).count();
  if (done > 0 && elapsed_s > 1.0) {
    line += (options_.open_ended ? ", at most " : ", ") +
            describe_duration(elapsed_s * (count_ - done) / done) + " left";
  }
  show(line);
}

void PredictReporter::finished(const FinishedCase& finished) {
  const CaseRecord& record = finished.record;
  for (const std::string& note : record.notes) spdlog::info("{}: {}", record.case_id, note);
  if (record.status == CaseRecord::Status::kFailed) {
    spdlog::error("{}: {}", record.case_id, record.error);
  } else if (!options_.progress_line) {
    spdlog::info("{}/{} {}: {} (loaded in {:.1f} s, network {:.1f} s)", position_, count_,
                 record.case_id, describe_rows(finished.rows), finished.load_s, finished.network_s);
  }
  if (options_.print == ReporterOptions::Print::kNothing) return;
  std::string text;
  for (const VolumeRow& row : finished.rows) {
    text += options_.print == ReporterOptions::Print::kCsv ? to_csv(row) : to_json_line(row);
  }
  wipe();  // stdout may be the same terminal.
  print(text);
}

void PredictReporter::kept_despite(const std::string& case_id, const std::string& reason) {
  spdlog::error("{}: {}; the record of an earlier run is kept", case_id, reason);
}

void PredictReporter::sum_up(const PredictOutcome& outcome) {
  const std::string counts =
      fmt::format("{} of {} cases measured ({} before), {} failed", outcome.measured + outcome.kept,
                  outcome.found, outcome.kept, outcome.failed);
  if (outcome.exit_code >= ExitCode::kHungUp) {
    spdlog::error("interrupted: {}; the same command goes on from here", counts);
  } else {
    spdlog::info("{}: {}", table_.string(), counts);
  }
}

void PredictReporter::show(const std::string& line) {
  wipe();
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
  shown_width_ = line.size();
}

void PredictReporter::wipe() {
  if (shown_width_ == 0) return;
  const std::string blank = "\r" + std::string(shown_width_, ' ') + "\r";
  std::fwrite(blank.data(), 1, blank.size(), stderr);
  std::fflush(stderr);
  shown_width_ = 0;
}

}  // namespace mcvol
