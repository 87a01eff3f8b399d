#include "mcvol/pipeline/foreign_files.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"
#include "mcvol/io/records/case_record.h"

#include <algorithm>
#include <string>
#include <system_error>
#include <vector>

#include <nlohmann/json.hpp>

namespace mcvol {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse(const fs::path& path) {
  throw UsageError(path.string() +
                   ": not written by a run of mcvol, and results would replace it; use another "
                   "--out, or move it elsewhere");
}

/// A damaged one is for its reader to say; one of another program has none of what a run leaves.
bool is_of_another_program(const fs::path& run_file) {
  const nlohmann::json whole = nlohmann::json::parse(read_file(run_file), nullptr, false);
  return !whole.is_discarded() && !(whole.is_object() && whole.contains("format"));
}

bool has_readable_record(const fs::path& folder) {
  const std::vector<std::string> ids = recorded_case_ids(folder);
  return std::any_of(ids.begin(), ids.end(), [&](const std::string& id) {
    try {
      read_case_record(folder, id);
      return true;
    } catch (const Error&) {
      return false;
    }
  });
}

/// Whether there is something in it but what a killed writer left.
bool has_entries(const fs::path& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (!entry->path().filename().string().starts_with(".")) return true;
  }
  return false;
}

bool holds(const fs::path& file, const std::string& part) {
  return read_file(file).find(part) != std::string::npos;
}

}  // namespace

void require_no_foreign_files(const fs::path& folder) {
  std::error_code error;
  const auto is_file = [&](const char* name) { return fs::is_regular_file(folder / name, error); };
  const bool has_run = is_file("run.json");
  if (has_run && is_of_another_program(folder / "run.json")) refuse(folder / "run.json");
  const bool of_a_run = has_run || has_readable_record(folder);
  for (const char* name : {"volumes.csv", "report.html"}) {
    if (!is_file(name)) continue;
    // One of a run has what every version writes.
    const char* mark = name == std::string("volumes.csv") ? "case_id,region,level," : "mcvol";
    if (!of_a_run || !holds(folder / name, mark)) refuse(folder / name);
  }
  if (of_a_run) return;
  for (const char* name : {"cases", "thumbnails", "maps"}) {
    if (has_entries(folder / name)) refuse(folder / name);
  }
}

}  // namespace mcvol
