#include "mcvol/io/pairs.h"

#include "mcvol/error/error.h"
#include "mcvol/io/csv.h"

#include <set>
#include <system_error>
#include <tuple>

namespace mcvol {

namespace {

std::size_t column_of(const CsvTable& table, const char* name, const std::filesystem::path& path) {
  if (const auto column = table.column(name)) return *column;
  throw UsageError(path.string() +
                   ": expected the columns subject_id, baseline and followup, found no " + name);
}

}  // namespace

std::vector<ScanPair> read_pairs(const std::filesystem::path& path) {
  std::error_code missing;
  if (!std::filesystem::exists(path, missing)) {
    throw UsageError(path.string() + ": no such file of pairs");
  }
  const CsvTable table = read_csv(path);
  const std::size_t subject = column_of(table, "subject_id", path);
  const std::size_t baseline = column_of(table, "baseline", path);
  const std::size_t followup = column_of(table, "followup", path);
  std::vector<ScanPair> pairs;
  std::set<std::tuple<std::string, std::string, std::string>> seen;
  for (const CsvRecord& record : table.records) {
    const ScanPair pair{record.fields[subject], record.fields[baseline], record.fields[followup]};
    const std::string where = path.string() + ":" + std::to_string(record.line) + ": ";
    if (pair.subject_id.empty() || pair.baseline.empty() || pair.followup.empty()) {
      throw UsageError(where + "expected a subject_id and the case_ids of baseline and followup");
    }
    if (pair.baseline == pair.followup) {
      throw UsageError(where + pair.baseline + " is baseline and followup; give two scans");
    }
    if (!seen.emplace(pair.subject_id, pair.baseline, pair.followup).second) {
      throw UsageError(where + "the same pair is given twice; keep one of them");
    }
    pairs.push_back(pair);
  }
  if (pairs.empty()) throw UsageError(path.string() + ": no pair; expected a row for each");
  return pairs;
}

}  // namespace mcvol
