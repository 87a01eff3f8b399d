#include "case_ids.h"

#include "mcvol/error/error.h"
#include "mcvol/files/sha256.h"
#include "mcvol/files/text.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>

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

/// What tells a case from others of its name, whichever of them there are: where it lies, of a row
/// of a manifest its files.
std::string told_by(const FoundCase& found) {
  std::string told = found.shown;
  if (found.is_file) return told;
  const std::filesystem::path folder = std::filesystem::path(found.where).parent_path();
  for (const ImageSource& source : found.scan.channel_files) {
    told += "\n" + source.file.lexically_proximate(folder).string();
    if (source.index) told += "[" + std::to_string(*source.index) + "]";
  }
  return told;
}

/// Hands out ids, each once.
class CaseIds {
 public:
  /// What a case is called by its name alone.
  static std::string of_name(const std::string& name) {
    return is_valid_case_id(name) ? name : hashed_id(name, name);
  }
  static std::string of_place(const FoundCase& found) {
    return hashed_id(found.scan.case_id, told_by(found));
  }

  bool is_free(const std::string& id) const { return !taken_.contains(lower_case(id)); }
  void give(const std::string& id, FoundCase& found) {
    ScanCase& scan = found.scan;
    if (id != scan.case_id) scan.found_as = std::exchange(scan.case_id, id);
    taken_.insert(lower_case(id));
  }
  void keep_from_all(const std::string& id) { taken_.insert(lower_case(id)); }
  void give_free(FoundCase& found) {
    std::string id = of_name(found.scan.case_id);
    // A place is one case's: what is left to try is a hash that happens to be taken.
    for (std::string hashed = told_by(found); !is_free(id); hashed += "+") {
      id = hashed_id(found.scan.case_id, hashed);
    }
    give(id, found);
  }

 private:
  std::set<std::string> taken_;  ///< in lower case
};

std::string place_of(const FoundCase& found) {
  return found.line > 0 ? line_of_file(found.where, found.line) : found.where;
}

/// The id under which these files have a record; empty where there is none.
/// @param alike cases of its name.
std::string id_of_record(const FoundCase& found, std::size_t alike, const RecordedCase& recorded) {
  const std::vector<ImageSource>& files = found.scan.channel_files;
  if (files.empty()) return {};
  const std::string of_place = CaseIds::of_place(found);
  if (recorded(of_place, files) == Recorded::kTheseFiles) return of_place;
  const std::string of_name = CaseIds::of_name(found.scan.case_id);
  const bool is_it = alike > 1 && recorded(of_name, files) == Recorded::kTheseFiles;
  return is_it ? of_name : "";
}

[[noreturn]] void refuse_twice(const FoundCase& other, const FoundCase& found) {
  const std::string here = place_of(found), there = place_of(other);
  throw UsageError(
      here + ": given twice, " +
      (here == there ? "by itself or with a folder above it" : "here and by " + there) +
      " (case_id '" + found.scan.case_id + "'); name it once");
}

}  // namespace

void assign_case_ids(std::vector<FoundCase>& cases, const RecordedCase& recorded) {
  std::stable_sort(cases.begin(), cases.end(), [](const FoundCase& a, const FoundCase& b) {
    return std::tie(a.scan.case_id, a.shown, a.where) < std::tie(b.scan.case_id, b.shown, b.where);
  });
  std::map<std::string, std::vector<FoundCase*>> by_name;
  for (FoundCase& found : cases) {
    auto& alike = by_name[lower_case(CaseIds::of_name(found.scan.case_id))];
    for (const FoundCase* other : alike) {
      if (is_same(*other, found)) refuse_twice(*other, found);
    }
    alike.push_back(&found);
  }
  CaseIds ids;
  std::vector<FoundCase*> left;
  for (FoundCase& found : cases) {
    const auto& alike = by_name.at(lower_case(CaseIds::of_name(found.scan.case_id)));
    const std::string id = recorded ? id_of_record(found, alike.size(), recorded) : "";
    if (!id.empty() && ids.is_free(id)) {
      ids.give(id, found);
    } else {
      left.push_back(&found);
    }
  }
  for (const FoundCase* found : left) {
    const std::string id = CaseIds::of_name(found->scan.case_id);
    const bool is_one_of_several = by_name.at(lower_case(id)).size() > 1;
    if (recorded && is_one_of_several && ids.is_free(id) &&
        recorded(id, found->scan.channel_files) != Recorded::kNothing) {
      ids.keep_from_all(id);
    }
  }
  for (FoundCase* found : left) ids.give_free(*found);
}

bool is_valid_case_id(const std::string& case_id) {
  return !case_id.empty() && case_id.size() <= kLongestId && is_alphanumeric(case_id.front()) &&
         std::all_of(case_id.begin(), case_id.end(), may_be_in_id);
}

}  // namespace mcvol
