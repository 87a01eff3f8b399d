#include "mcvol/pipeline/result_folder.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <system_error>

namespace mcvol {

ResultFolder::ResultFolder(std::filesystem::path folder, std::vector<NominalCoverage> levels,
                           std::string run_identity, CalibrationPointer calibration,
                           std::vector<std::string> found_ids)
    : folder_(std::move(folder)),
      run_identity_(std::move(run_identity)),
      found_ids_(std::move(found_ids)),
      table_(std::move(levels), std::move(calibration)) {}

std::vector<std::string> ResultFolder::load() {
  std::vector<std::string> complaints;
  for (const std::string& case_id : recorded_case_ids(folder_)) {
    try {
      remember(read_case_record(folder_, case_id));
    } catch (const InputError& error) {
      complaints.push_back(std::string(error.what()) + "; the record is passed over");
    }
  }
  if (const std::vector<std::string> gone = not_found(); !gone.empty()) {
    complaints.push_back(
        gone.front() +
        (gone.size() == 1 ? "" : " and " + std::to_string(gone.size() - 1) + " more case(s)") +
        " of earlier runs: not found among the scans; the rows stay, with the flag not_found");
  }
  return complaints;
}

const ResultFolder::Entry* ResultFolder::find(const std::string& case_id) const {
  const auto found = entries_.find(case_id);
  return found == entries_.end() ? nullptr : &found->second;
}

std::vector<VolumeRow> ResultFolder::put(const CaseRecord& record) {
  write_case_record(record, case_record_path(folder_, record.case_id));
  return remember(record);
}

std::vector<VolumeRow> ResultFolder::remember(const CaseRecord& record) {
  entries_[record.case_id] = {record.status, record.run_identity, record.inputs};
  CaseRecord flagged = record;
  if (record.status == CaseRecord::Status::kOk && record.run_identity != run_identity_) {
    flagged.flags.push_back("other_run");
  }
  if (!is_found(record.case_id)) flagged.flags.push_back("not_found");
  std::sort(flagged.flags.begin(), flagged.flags.end());
  return table_.put(flagged);
}

bool ResultFolder::is_found(const std::string& case_id) const {
  return std::binary_search(found_ids_.begin(), found_ids_.end(), case_id);
}

std::vector<std::string> ResultFolder::not_found() const {
  std::vector<std::string> ids;
  for (const auto& [case_id, entry] : entries_) {
    if (!is_found(case_id)) ids.push_back(case_id);
  }
  return ids;
}

std::vector<std::string> ResultFolder::complaints(const std::optional<BatchCheck>& batch) const {
  std::vector<std::string> sentences = table_.faults();
  const auto others = std::count_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return entry.second.status == CaseRecord::Status::kOk &&
           entry.second.run_identity != run_identity_;
  });
  if (others > 0) {
    sentences.push_back(
        std::to_string(others) +
        " case(s) in the table were measured by runs with other settings; their rows carry the "
        "flag other_run, and measuring them again replaces them");
  }
  if (batch && batch->differs()) sentences.push_back(batch->words());
  return sentences;
}

void ResultFolder::write_table() const { table_.write(folder_); }

std::optional<double> free_bytes_of(const std::filesystem::path& folder) {
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(folder, error);
  if (error) return std::nullopt;
  return static_cast<double>(space.available);
}

}  // namespace mcvol
