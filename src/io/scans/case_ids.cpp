#include "case_ids.h"

#include "mcvol/error/error.h"
#include "mcvol/files/sha256.h"
#include "mcvol/files/text.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>
#include <tuple>

namespace mcvol {
namespace {

constexpr std::size_t kLongestId = 128;
constexpr std::size_t kHashDigits = 8;

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool may_be_in_id(char c) {
  return is_alphanumeric(c) || c == '.' || c == '_' || c == '-' || c == '+';
}

/// The valid characters of a name, and a hash of what it stands for.
std::string hashed_id(const std::string& name, const std::string& hashed) {
  std::string id;
  for (const char c : name) {
    if (may_be_in_id(c)) {
      id += c;
    } else if (id.empty() || id.back() != '_') {
      id += '_';  // one for a letter of several bytes
    }
  }
  if (id.empty() || !is_alphanumeric(id.front())) id = "x" + id;
  return id.substr(0, kLongestId - kHashDigits - 1) + "-" +
         sha256_of_bytes(hashed).substr(0, kHashDigits);
}

/// Whether one case came twice, of a folder and one in it, say.
bool is_same(const FoundCase& a, const FoundCase& b) {
  if (!a.scan.channel_files.empty()) return a.scan.channel_files == b.scan.channel_files;
  std::error_code error;
  return a.is_file && b.is_file && std::filesystem::equivalent(a.where, b.where, error);
}

std::string place_of(const FoundCase& found) {
  return found.line > 0 ? line_of_file(found.where, found.line) : found.where;
}

}  // namespace

void assign_case_ids(std::vector<FoundCase>& cases) {
  std::stable_sort(cases.begin(), cases.end(), [](const FoundCase& a, const FoundCase& b) {
    return std::tie(a.scan.case_id, a.shown, a.where) < std::tie(b.scan.case_id, b.shown, b.where);
  });
  std::map<std::string, const FoundCase*> taken;
  const auto rename = [&](FoundCase& found, const std::string& hashed) {
    ScanCase& scan = found.scan;
    if (scan.found_as.empty()) scan.found_as = scan.case_id;
    scan.case_id = hashed_id(scan.found_as, hashed);
  };
  for (FoundCase& found : cases) {
    ScanCase& scan = found.scan;
    const std::string key = lower_case(scan.case_id);
    if (const auto other = taken.find(key);
        other != taken.end() && is_same(*other->second, found)) {
      const std::string here = place_of(found), there = place_of(*other->second);
      throw UsageError(
          here + ": given twice, " +
          (here == there ? "by itself or with a folder above it" : "here and by " + there) +
          " (case_id '" + scan.case_id + "'); name it once");
    }
    if (!is_valid_case_id(scan.case_id)) rename(found, scan.case_id);
    // A place is one case's: what is left to try is a hash that happens to be taken.
    for (std::string hashed = found.shown; taken.contains(lower_case(scan.case_id));
         hashed += "+") {
      rename(found, hashed);
    }
    taken.emplace(lower_case(scan.case_id), &found);
  }
}

bool is_valid_case_id(const std::string& case_id) {
  return !case_id.empty() && case_id.size() <= kLongestId && is_alphanumeric(case_id.front()) &&
         std::all_of(case_id.begin(), case_id.end(), may_be_in_id);
}

}  // namespace mcvol
