#include "mcvol/pipeline/result_folder.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <system_error>

namespace mcvol {

ResultFolder::ResultFolder(std::filesystem::path folder, std::vector<NominalCoverage> levels,
                           std::string run_identity, CalibrationPointer calibration)
    : folder_(std::move(folder)),
      run_identity_(std::move(run_identity)),
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
  if (record.status == CaseRecord::Status::kOk && record.run_identity != run_identity_) {
    CaseRecord flagged = record;
    flagged.flags.push_back("other_run");
    std::sort(flagged.flags.begin(), flagged.flags.end());
    return table_.put(flagged);
  }
  return table_.put(record);
}

int ResultFolder::count_of_other_runs() const {
  return static_cast<int>(std::count_if(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return entry.second.status == CaseRecord::Status::kOk &&
           entry.second.run_identity != run_identity_;
  }));
}

void ResultFolder::write_table() const { table_.write(folder_); }

std::optional<double> free_bytes_of(const std::filesystem::path& folder) {
  std::error_code error;
  const std::filesystem::space_info space = std::filesystem::space(folder, error);
  if (error) return std::nullopt;
  return static_cast<double>(space.available);
}

}  // namespace mcvol
