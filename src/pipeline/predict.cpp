#include "mcvol/pipeline/predict.h"

#include "mcvol/files/text_file.h"
#include "mcvol/io/records/run_lock.h"
#include "mcvol/pipeline/case_maps.h"
#include "mcvol/pipeline/foreign_files.h"
#include "mcvol/pipeline/histogram_sink.h"
#include "mcvol/pipeline/sample_passes.h"
#include "mcvol/pipeline/scan_flags.h"
#include "mcvol/pipeline/threads.h"
#include "mcvol/pipeline/thumbnail_slice.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <new>

#include "pipeline/maps/saved_maps.h"
#include "run_log.h"
#include "segmentation_shape.h"

namespace mcvol {

namespace {

using Clock = std::chrono::steady_clock;

/// Scans that are loaded at a time.
constexpr int kMostLoaders = 8;

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// A run on a result folder that it holds.
class PredictRun {
 public:
  PredictRun(const PredictOptions& options, const PredictServices& services,
             PredictObserver& observer, PredictPlan plan)
      : options_(options),
        services_(services),
        observer_(observer),
        plan_(std::move(plan)),
        log_(options_, plan_),
        maps_(options_, plan_, observer_),
        results_(plan_.folder, options.levels, plan_.identity_sha256, plan_.calibration,
                 plan_.found_ids),
        loader_(services.load_scan, preparation_of(plan_.bundle), channel_names(plan_.bundle),
                options_.thumbnails ? channels_to_show(plan_.bundle).channels
                                    : std::vector<std::size_t>{}),
        threads_(options.threads > 0 ? options.threads : default_thread_count()) {}

  PredictOutcome run();

 private:
  void load_network();
  void work();
  void start_next(std::size_t after, const PreparedScan& last);
  bool measure(std::size_t index);
  bool run_network(const ScanCase& scan, LoadedCase& loaded, CaseRecord& record);
  void keep_thumbnail(const CaseRecord& record, const LoadedCase&, const HistogramSink&);
  CaseRecord record_of(const ScanCase& scan) const;
  bool is_measured(const std::string& case_id) const;
  void keep_despite(const std::string& case_id, const std::string& reason);
  void finish(const CaseRecord& record, double load_s, double network_s,
              const std::vector<ImageSource>& files);
  void renew_bounds_of_kept();
  void write_progress();
  bool stopping();

  const PredictOptions& options_;
  const PredictServices& services_;
  PredictObserver& observer_;
  PredictPlan plan_;
  RunLog log_;
  SavedMaps maps_;
  ResultFolder results_;
  CaseLoader loader_;
  int threads_;
  std::size_t next_to_load_ = 0;
  std::unique_ptr<Segmenter> segmenter_;
  PredictOutcome outcome_;
  std::optional<ExitCode> stop_;
  Clock::time_point table_written_ = Clock::now();
  double table_cost_s_ = 0;
};

PredictOutcome PredictRun::run() {
  check_run_identity(plan_, options_.fresh);
  for (const std::string& complaint : results_.load()) observer_.warn(complaint);
  keep_finished(plan_, results_, options_.fresh, options_.save);
  outcome_.found = static_cast<int>(plan_.cases.size());
  outcome_.kept = plan_.count(CaseAction::kKeep);
  observer_.planned(plan_);
  maps_.say_sizes(services_.free_bytes);
  require_replaceable_calibration(plan_.calibration.get(), plan_.calibration_file, plan_.folder);
  if (plan_.count(CaseAction::kMeasure) > 0 && !stopping()) load_network();
  // run.json first: it says what the rest is of.
  log_.start(segmenter_ ? &segmenter_->summary() : nullptr, threads_, outcome_);
  keep_calibration(plan_.calibration.get(), plan_.calibration_file, plan_.folder);
  log_.calibration_is_kept();
  try {
    maps_.begin();
    renew_bounds_of_kept();
    work();
  } catch (...) {
    // What is finished is kept; the error that ends the run is the one to report.
    try {
      log_.write(RunFile::State::kInterrupted, outcome_);
      results_.write_table();
    } catch (const std::exception&) {
    }
    throw;
  }
  timed(log_.stages.write_s, [&] { results_.write_table(); });
  const std::optional<BatchCheck> batch = results_.batch();
  log_.set_batch(batch);
  log_.write(stop_ ? RunFile::State::kInterrupted : RunFile::State::kComplete, outcome_);
  for (const std::string& complaint : results_.complaints(batch)) observer_.warn(complaint);
  if (outcome_.failed > 0) outcome_.exit_code = ExitCode::kScanFailed;
  if (stop_) outcome_.exit_code = *stop_;
  return outcome_;
}

void PredictRun::load_network() {
  SegmenterOptions segmenter_options;
  segmenter_options.device = options_.device;
  segmenter_options.threads = threads_;
  segmenter_options.scope = plan_.scope;
  segmenter_options.precision = plan_.precision;
  segmenter_options.memory_bytes = options_.memory_bytes;
  segmenter_ = timed(log_.network_loading_s,
                     [&] { return services_.load_segmenter(plan_.bundle, segmenter_options); });
  log_.require_same_window(segmenter_->summary());
  observer_.network_loaded(segmenter_->summary());
}

bool PredictRun::stopping() {
  if (!stop_) stop_ = services_.stop();
  return stop_.has_value();
}

void PredictRun::work() {
  const int count = outcome_.found - outcome_.kept;
  int position = 0;
  for (std::size_t n = 0; n < plan_.cases.size(); ++n) {
    const PlannedCase& planned = plan_.cases[n];
    if (planned.action == CaseAction::kKeep) continue;
    if (stopping()) return;
    observer_.started(++position, count, planned.scan.case_id);
    if (planned.action == CaseAction::kRefuse && is_measured(planned.scan.case_id)) {
      // A folder that is half there, say on a network: what was measured stays.
      keep_despite(planned.scan.case_id, planned.reason);
    } else if (planned.action == CaseAction::kRefuse) {
      CaseRecord record = record_of(planned.scan);
      record.status = CaseRecord::Status::kFailed;
      record.error = planned.reason;
      finish(record, 0, 0, {});
    } else if (!measure(n)) {
      return;
    }
  }
}

void PredictRun::renew_bounds_of_kept() {
  const int again = timed(log_.stages.write_s, [&] { return maps_.renew_bounds_of_kept(); });
  outcome_.kept -= again;
  if (again == 0 || segmenter_ || stopping()) return;
  load_network();
  log_.start(&segmenter_->summary(), threads_, outcome_);
}

/// A network on a CPU has its cores; one on a GPU would wait for a single loader. No more than the
/// memory allowed holds of scans like the last one.
void PredictRun::start_next(std::size_t after, const PreparedScan& last) {
  std::int64_t most = 1;
  if (segmenter_->summary().device != "cpu") {
    std::int64_t bytes = 1;
    for (const auto& channel : last.channels) bytes += 4 * std::ssize(channel.values);
    most = std::min<std::int64_t>({kMostLoaders, threads_, options_.memory_bytes / bytes});
  }
  const auto ahead = static_cast<std::size_t>(std::max<std::int64_t>(most, 1));
  next_to_load_ = std::max(next_to_load_, after + 1);
  for (; next_to_load_ < plan_.cases.size() && loader_.started() < ahead; ++next_to_load_) {
    const PlannedCase& next = plan_.cases[next_to_load_];
    if (next.action == CaseAction::kMeasure) loader_.start(next.scan);
  }
}

CaseRecord PredictRun::record_of(const ScanCase& scan) const {
  CaseRecord record;
  record.case_id = scan.case_id;
  record.run_identity = plan_.identity_sha256;
  record.model = plan_.bundle.sha256;
  return record;
}

/// False when the run was asked to stop before the case was done.
bool PredictRun::measure(std::size_t index) {
  const ScanCase& scan = plan_.cases[index].scan;
  LoadedCase loaded = loader_.take(scan);
  log_.stages.read_s += loaded.timings.read_s;
  log_.stages.prepare_s += loaded.timings.prepare_s;
  if (!stopping()) start_next(index, loaded.scan);

  CaseRecord record = record_of(scan);
  record.inputs = loaded.inputs;
  const double network_before_s = log_.stages.network_s;
  // Not one byte to be had, as where the file is missing: no news about the scan. A file that has
  // changed and cannot be used is news: the earlier number is another file's.
  if (!loaded.error.empty() && loaded.inputs.empty() && is_measured(scan.case_id)) {
    keep_despite(scan.case_id, loaded.error);
    return true;
  }
  if (!loaded.error.empty()) {
    record.status = CaseRecord::Status::kFailed;
    record.error = loaded.error;
  } else if (!run_network(scan, loaded, record)) {
    return false;
  }
  finish(record, loaded.timings.read_s + loaded.timings.prepare_s,
         log_.stages.network_s - network_before_s, scan.channel_files);
  return true;
}

/// Fills the record, as failed where the scan is to blame. False when asked to stop.
bool PredictRun::run_network(const ScanCase& scan, LoadedCase& loaded, CaseRecord& record) {
  const auto fail = [&](const std::exception& error) {
    record.status = CaseRecord::Status::kFailed;
    record.error = case_error(error, scan);
    record.regions.clear();
  };
  StageTimings& stages = log_.stages;
  try {
    std::optional<ScopedTimer> timer(std::in_place, stages.network_s);
    const auto& measured = loaded.scan.measured.values;
    const std::int64_t voxels = static_cast<std::int64_t>(measured.size()) -
                                std::count(measured.begin(), measured.end(), std::uint8_t{0});
    if (voxels == 0) throw InputError("no voxel to measure: the scan is zero everywhere");
    const int networks = segmenter_->summary().networks;
    const PassSchedule schedule = pass_schedule(options_, segmenter_->summary().round());
    HistogramSink sink(region_names(plan_.bundle), voxels, schedule.passes.front(), networks,
                       {options_.save.sd, options_.save.agreement});
    const auto progress = [&](double share) {
      observer_.progress(share);
      return !stopping();
    };
    const std::optional<SampledPasses> sampled =
        sample_passes(*segmenter_, loaded.scan, schedule, options_.seed, sink, progress, stages);
    if (!sampled) {
      if (!stopping()) stop_ = ExitCode::kInterrupted;
      return false;
    }
    record.regions = timed(stages.accumulate_s, [&] { return sink.finish(); });
    timer.reset();
    for (std::size_t n = 0; n < record.regions.size(); ++n) {
      record.regions[n].monte_carlo_error = sampled->errors[n];
      record.regions[n].segmentation = segmentation_shape(loaded.scan, sink, n);
    }
    record.grid = loaded.scan.grid;
    record.image_quality = loaded.image_quality;
    record.passes = sampled->passes;
    record.flags = flags_of(loaded.scan, loaded.image_quality, requirements_of(plan_.bundle));
    if (!sampled->settled) record.flags.push_back("mc_tolerance_missed");
    std::sort(record.flags.begin(), record.flags.end());
    record.notes = loaded.scan.notes;
    if (options_.thumbnails) keep_thumbnail(record, loaded, sink);
    timed(stages.write_s, [&] { maps_.take(scan, loaded.scan, sink); });
  } catch (const InputError& error) {
    fail(error);
  } catch (const ModelError& error) {
    fail(error);
  } catch (const Error&) {
    throw;  // A device that is gone, say: no scan's fault, and no other scan would fare better.
  } catch (const std::exception& error) {
    fail(error);
  }
  return true;
}

/// Before the record: one that is whole has its slice. Which says what measurement it is of.
void PredictRun::keep_thumbnail(const CaseRecord& record, const LoadedCase& loaded,
                                const HistogramSink& sink) {
  const ScopedTimer timer(log_.stages.write_s);
  try {
    auto thumbnail = thumbnail_of(loaded.scan, channels_to_show(plan_.bundle), loaded.shown, sink);
    thumbnail.measurement = measurement_of(record);
    write_thumbnail(thumbnail, thumbnail_path(plan_.folder, record.case_id));
  } catch (const DiskError&) {
    throw;  // With the record there, the slice would never be made up for.
  } catch (const std::exception& error) {
    if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) throw;  // Likewise.
    remove_thumbnail(plan_.folder, record.case_id);
    observer_.warn(record.case_id + ": measured, but without its slice: " + message_of(error));
  }
}

bool PredictRun::is_measured(const std::string& case_id) const {
  const ResultFolder::Entry* before = results_.find(case_id);
  return before != nullptr && before->status == CaseRecord::Status::kOk;
}

void PredictRun::keep_despite(const std::string& case_id, const std::string& reason) {
  ++outcome_.failed;
  observer_.kept_despite(case_id, reason);
}

void PredictRun::finish(const CaseRecord& record, double load_s, double network_s,
                        const std::vector<ImageSource>& files) {
  std::optional<ScopedTimer> timer(std::in_place, log_.stages.write_s);
  const bool failed = record.status == CaseRecord::Status::kFailed;
  // Images of an earlier measurement go before the record that replaces it, new ones come after it:
  // where this is interrupted, resuming finds none and makes them.
  maps_.remove(record.case_id);
  if (failed || !options_.thumbnails) remove_thumbnail(plan_.folder, record.case_id);
  const std::vector<VolumeRow> rows = results_.put(record);
  if (!failed) maps_.write(record, rows, files.front());
  maps_.warn_of_unlisted(record.case_id);
  (failed ? outcome_.failed : outcome_.measured) += 1;
  write_progress();
  timer.reset();
  observer_.finished({record, rows, load_s, network_s});
}

void PredictRun::write_progress() {
  // Never more than a twentieth of the time, however many rows there are.
  const double interval_s = std::max(options_.table_interval_s, 20.0 * table_cost_s_);
  if (seconds_since(table_written_) < interval_s) return;
  const Clock::time_point begin = Clock::now();
  results_.write_table();
  log_.write(RunFile::State::kRunning, outcome_);
  table_cost_s_ = seconds_since(begin);
  table_written_ = Clock::now();
}

}  // namespace

PredictOutcome predict(const PredictOptions& options, const PredictServices& services,
                       PredictObserver& observer) {
  if (options.output.empty()) throw UsageError("no result folder given; name one with --out");
  PredictPlan plan = plan_scans(options);
  require_no_foreign_files(plan.folder);
  const RunLock lock(plan.folder);
  for (const auto& folder : {plan.folder, plan.folder / "cases", plan.folder / "thumbnails"})
    remove_left_temporary_files(folder);
  remove_left_temporary_maps(plan.folder);
  return PredictRun(options, services, observer, std::move(plan)).run();
}

}  // namespace mcvol
