#include "mcvol/pipeline/result_folder.h"

#include "mcvol/error/error.h"

namespace mcvol {

ResultFolder::ResultFolder(std::filesystem::path folder, std::vector<NominalCoverage> levels)
    : folder_(std::move(folder)), levels_(std::move(levels)), table_(levels_) {}

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
  remember(record);
  return rows_of(record, levels_);
}

void ResultFolder::remember(const CaseRecord& record) {
  table_.put(record);
  entries_[record.case_id] = {record.status, record.run_identity, record.inputs};
}

void ResultFolder::write_table() const { table_.write(folder_); }

}  // namespace mcvol
