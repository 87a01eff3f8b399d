#include "case_pick.h"

#include "mcvol/error/error.h"

namespace mcvol {
namespace {

/// The BIDS subject that a case_id begins with; empty where it begins otherwise.
std::string subject_of(const std::string& case_id) {
  return case_id.starts_with("sub-") ? case_id.substr(0, case_id.find('_')) : "";
}

void require_all_in(const std::set<std::string>& found, const std::set<std::string>& asked,
                    const std::string& option) {
  for (const std::string& one : asked) {
    if (found.contains(one)) continue;
    throw UsageError(option + ": expected one of the " + std::to_string(found.size()) +
                     " found, such as " + *found.rbegin() + ", found \"" + one +
                     "\"; --list says all");
  }
}

}  // namespace

CasePick::CasePick(const PredictOptions& options, const std::vector<ScanCase>& cases)
    : ids_(options.only_cases.begin(), options.only_cases.end()) {
  for (const std::string& label : options.only_participants) {
    subjects_.insert(label.starts_with("sub-") ? label : "sub-" + label);
  }
  std::set<std::string> ids, subjects;
  for (const ScanCase& scan : cases) {
    ids.insert(scan.case_id);
    subjects.insert(subject_of(scan.case_id));
  }
  require_all_in(ids, ids_, "--case");
  require_all_in(subjects, subjects_, "--participant-label");
}

bool CasePick::takes(const std::string& case_id) const {
  return (ids_.empty() && subjects_.empty()) || ids_.contains(case_id) ||
         subjects_.contains(subject_of(case_id));
}

}  // namespace mcvol
