#pragma once

#include "mcvol/io/tables/pairs.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace mcvol {

/// A row of change.csv: a pair, region and level; a pair that cannot be compared has one row with
/// neither.
struct ChangeRow {
  ScanPair pair;
  std::string region, level;
  std::optional<double> change_ml, lower_ml, upper_ml;  ///< follow-up less baseline
  std::optional<double> p_growth, p_shrinkage, p_tie;   ///< none under bonferroni
  std::optional<double> growth_threshold;  ///< relative to the baseline; none under bonferroni
  std::optional<double> correlation;       ///< given or estimated; none under bonferroni
  std::string status;                      ///< "ok" or "failed"
  std::vector<std::string> flags;          ///< of either scan, sorted
  std::string error;
};

/// The text of change.csv: ml with three decimals, probabilities with four.
std::string change_csv(const std::vector<ChangeRow>& rows);

/// Reads a change.csv, whatever columns later versions have added.
/// @throws UsageError naming file and line: a column missing, what is no number; Error when it
///   cannot be read.
std::vector<ChangeRow> read_change_table(const std::filesystem::path& path);

}  // namespace mcvol
