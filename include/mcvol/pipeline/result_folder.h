#pragma once

#include "mcvol/analysis/volume_table.h"
#include "mcvol/io/records/case_record.h"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mcvol {

/// The records of a result folder while a run works on it: what resuming needs of them, and the
/// table, which can be written at any moment without reading a record again.
class ResultFolder {
 public:
  /// What resuming needs to know of a record.
  struct Entry {
    CaseRecord::Status status = CaseRecord::Status::kOk;
    std::string run_identity;
    std::vector<InputFile> inputs;
  };

  /// Opens nothing yet.
  /// @param run_identity of the run at work, sha256: rows of records made under another one carry
  ///   the flag `other_run`, and stay uncalibrated.
  /// @param calibration may be null.
  /// @param found_ids of the cases that the run found, sorted: rows of others carry the flag
  ///   `not_found`.
  ResultFolder(std::filesystem::path folder, std::vector<NominalCoverage> levels,
               std::string run_identity, CalibrationPointer calibration,
               std::vector<std::string> found_ids);

  /// Reads every record in cases/. Returns a sentence about each that cannot be read, which counts
  /// as absent, and one about those of cases that the run did not find.
  std::vector<std::string> load();

  /// None where the case has no (readable) record.
  const Entry* find(const std::string& case_id) const;

  /// Writes a record, replacing the case's earlier one. Returns its rows.
  /// @throws Error when it cannot be written; the earlier record then still stands.
  std::vector<VolumeRow> put(const CaseRecord& record);

  /// Writes volumes.csv with every record. @throws Error when it cannot be written.
  void write_table() const;

  /// Cases with a record that the run did not find, sorted.
  std::vector<std::string> not_found() const;

  /// Whether the scans of the table are of the calibration's kind; none where that is not known.
  std::optional<BatchCheck> batch() const { return table_.batch(); }

  /// Sentences about the table: scans whose channels or axes look exchanged, measured records that
  /// were made under another run identity, and `batch`, the batch(), where it differs.
  std::vector<std::string> complaints(const std::optional<BatchCheck>& batch) const;

  const std::filesystem::path& path() const { return folder_; }

 private:
  std::vector<VolumeRow> remember(const CaseRecord& record);
  bool is_found(const std::string& case_id) const;

  std::filesystem::path folder_;
  std::string run_identity_;
  std::vector<std::string> found_ids_;
  VolumeTable table_;
  std::map<std::string, Entry> entries_;  ///< by case_id
};

/// What the disk of a folder has left for this user; none where that is not known.
std::optional<double> free_bytes_of(const std::filesystem::path& folder);

}  // namespace mcvol
