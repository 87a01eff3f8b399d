#pragma once

#include "mcvol/error/error.h"
#include "mcvol/io/records/case_record.h"
#include "mcvol/io/tables/volume_row.h"
#include "mcvol/network/segmenter/segmenter.h"
#include "mcvol/pipeline/case_loader.h"
#include "mcvol/pipeline/interrupt.h"
#include "mcvol/pipeline/predict_options.h"
#include "mcvol/pipeline/predict_plan.h"
#include "mcvol/pipeline/result_folder.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mcvol {

/// What a run works with; tests put fakes here.
struct PredictServices {
  std::function<std::unique_ptr<Segmenter>(const Bundle&, const SegmenterOptions&)> load_segmenter;
  ScanLoader load_scan = mcvol::load_scan;
  /// Asked between scans and windows: the exit code of whoever wants the run to stop.
  std::function<std::optional<ExitCode>()> stop = interrupt_requested;
  /// Bytes that the disk of a folder has left for this user; none where that is not known.
  std::function<std::optional<double>(const std::filesystem::path&)> free_bytes = free_bytes_of;
};

/// A case whose record has just been written.
struct FinishedCase {
  const CaseRecord& record;
  const std::vector<VolumeRow>& rows;
  double load_s = 0;     ///< reading the scan, beside the network's work on the one before
  double network_s = 0;  ///< windows and passes
};

/// Follows a run, on the thread that called predict(). An Error thrown here stops the run, which
/// keeps what is finished.
class PredictObserver {
 public:
  virtual ~PredictObserver() = default;
  /// Something the user should know, one sentence.
  virtual void warn(const std::string& message) = 0;
  /// Something that is good to know, likewise.
  virtual void note(const std::string& message) = 0;
  /// Before the network is loaded.
  virtual void planned(const PredictPlan& plan) = 0;
  virtual void network_loaded(const NetworkSummary& summary) = 0;
  /// The `position`-th (from 1) of `count` cases to work on.
  virtual void started(int position, int count, const std::string& case_id) = 0;
  /// Share of the case's windows done, 0 to 1.
  virtual void progress(double share) = 0;
  virtual void finished(const FinishedCase& finished) = 0;
  /// A case that cannot be measured now, but was before: its record stays.
  virtual void kept_despite(const std::string& case_id, const std::string& reason) = 0;
};

struct PredictOutcome {
  int found = 0;     ///< cases of this run (or shard)
  int kept = 0;      ///< of them, measured by an earlier run
  int measured = 0;  ///< of them, measured now
  int failed = 0;    ///< of them, failed now
  ExitCode exit_code = ExitCode::kSuccess;
};

/// Measures every scan that has no valid record yet and writes the result folder: a record as each
/// case finishes, volumes.csv and run.json now and then and at the end. One bad scan is one failed
/// record. The bytes of records and table do not depend on the order of cases, on threads, shards
/// or on how often the run was interrupted.
///
/// @throws UsageError, ModelError before any work; FolderLockedError; Error when the run cannot go
///   on (unwritable output, full disk), with all that is finished kept.
PredictOutcome predict(const PredictOptions& options, const PredictServices& services,
                       PredictObserver& observer);

}  // namespace mcvol
