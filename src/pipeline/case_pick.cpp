#include "case_pick.h"

#include "mcvol/error/error.h"

namespace mcvol {
namespace {

/// The BIDS subject that the case's name begins with; empty where it begins otherwise.
std::string subject_of(const ScanCase& scan) {
  const std::string& name = scan.found_as.empty() ? scan.case_id : scan.found_as;
  return name.starts_with("sub-") ? name.substr(0, name.find('_')) : "";
}

void require_all_in(const std::set<std::string>& found, const std::set<std::string>& asked,
                    const std::string& option) {
  for (const std::string& one : asked) {
    if (found.contains(one)) continue;
    throw UsageError(option + ": " +
                     (found.empty() ? "there is none among the scans"
                                    : "expected one of the " + std::to_string(found.size()) +
                                          " found, such as " + *found.rbegin()) +
                     ", found \"" + one + "\"; --list says all");
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
    if (const std::string subject = subject_of(scan); !subject.empty()) subjects.insert(subject);
  }
  require_all_in(ids, ids_, "--case");
  require_all_in(subjects, subjects_, "--participant-label");
}

bool CasePick::takes(const ScanCase& scan) const {
  return (ids_.empty() && subjects_.empty()) || ids_.contains(scan.case_id) ||
         subjects_.contains(subject_of(scan));
}

}  // namespace mcvol
