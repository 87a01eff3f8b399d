#include "mcvol/io/tables/pairs.h"

#include "mcvol/error/error.h"
#include "mcvol/files/csv.h"
#include "mcvol/files/text.h"

#include <set>
#include <system_error>
#include <tuple>

namespace mcvol {

std::vector<ScanPair> read_pairs(const std::filesystem::path& path) {
  std::error_code missing;
  if (!std::filesystem::exists(path, missing)) {
    throw UsageError(path.string() + ": no such file of pairs");
  }
  const CsvTable table = read_csv(path);
  const std::string expected = "subject_id, baseline and followup";
  const std::size_t subject = table.require_column("subject_id", path.string(), expected);
  const std::size_t baseline = table.require_column("baseline", path.string(), expected);
  const std::size_t followup = table.require_column("followup", path.string(), expected);
  std::vector<ScanPair> pairs;
  std::set<std::tuple<std::string, std::string, std::string>> seen;
  for (const CsvRecord& record : table.records) {
    const ScanPair pair{record.fields[subject], record.fields[baseline], record.fields[followup]};
    const std::string where = line_of_file(path.string(), record.line) + ": ";
    if (pair.subject_id.empty() || pair.baseline.empty() || pair.followup.empty()) {
      throw UsageError(where + "expected a subject_id and the case_ids of baseline and followup");
    }
    if (pair.baseline == pair.followup) {
      throw UsageError(where + pair.baseline + " is baseline and followup; give two cases");
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
