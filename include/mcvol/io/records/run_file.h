#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace mcvol {

/// run.json: what a result folder holds and how it came about.
struct RunFile {
  enum class State { kRunning, kComplete, kInterrupted };

  State state = State::kRunning;
  int found = 0;                ///< cases of this run (of this shard)
  int done = 0;                 ///< of these, measured: status ok
  int failed = 0;               ///< of these, failed; found - done - failed are yet to be measured
  std::string version, commit;  ///< of mcvol
  nlohmann::json libraries;     ///< name -> version
  nlohmann::json model;         ///< model.json whole
  std::string model_sha256;
  nlohmann::json options;                ///< as resolved
  std::vector<std::string> levels;       ///< of volumes.csv, as given
  std::vector<std::string> merged_from;  ///< names of the folders merged; empty after a run
  nlohmann::json identity;  ///< the run identity, field by field (analysis/run_identity.h)
  std::string device;
  nlohmann::json timings_s;
  nlohmann::json batch;        ///< analysis/batch_check.h; null where nothing is known
  std::string started, ended;  ///< UTC, ISO 8601; `ended` empty while running
};

/// "running", "complete", "interrupted"
std::string to_string(RunFile::State state);

/// `folder`/run.json.
std::filesystem::path run_file_path(const std::filesystem::path& folder);

/// What write_run_file() writes.
std::string run_file_text(const RunFile& run);

/// None where the folder has no run.json. @throws Error naming the file and field when damaged.
std::optional<RunFile> read_run_file(const std::filesystem::path& folder);
/// Atomic. @throws Error when it cannot be written.
void write_run_file(const RunFile& run, const std::filesystem::path& folder);

}  // namespace mcvol
