#pragma once

#include "mcvol/analysis/referenced_results.h"
#include "mcvol/calibration/interval_scores.h"
#include "mcvol/io/records/calibration_file.h"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mcvol {

struct CalibrateOptions {
  std::filesystem::path results;
  ReferenceSource references;
  /// None: kDefaultMethod, or kEarlierMethod where a record lacks what that takes.
  std::optional<IntervalMethod> method;
  std::vector<double> strata_ml;  ///< edges, ascending, above 0
  std::filesystem::path groups;   ///< CSV of case_id and group; empty: every scan counts
  bool simulated = false;
  std::vector<NominalCoverage> levels = parse_levels({"0.9"});  ///< of the report
  std::filesystem::path output;
  int threads = 1;
  std::string version;
};

/// What a calibration promises in one stratum, and what it would have given its own scans.
struct StratumReport {
  std::string region;
  double from_ml = 0;
  NominalCoverage level;
  std::int64_t n = 0;
  /// Of tail_rank(); 0 where n does not reach the level, and for kQuantile, which has none.
  std::int64_t rank = 0;
  double expected_coverage = 0;  ///< on average over calibration sets
  Range coverage_range;          ///< of this one, 90 % of calibration sets; not of kQuantile
  CoverageSummary raw;           ///< of level sets
  /// Each scan by a calibration on nine tenths of the others. Its coverage shows nothing: that of
  /// conformal intervals is what it is by construction.
  CoverageSummary cross_validated;
};

/// What is promised of the expected Dice of a region at a level.
struct DiceReport {
  std::string region;
  NominalCoverage level;
  std::int64_t n = 0;
  std::int64_t rank = 0;  ///< one_sided_rank(): that many of n + 1 scans lie below their bound
  double least = 0;       ///< RegionCalibration::usual_least_dice
};

struct CalibrateReport {
  CalibrationFile calibration;
  std::vector<StratumReport> strata;
  std::vector<DiceReport> dice;       ///< of regions whose Dice it expects
  std::string why_no_dice;            ///< what to do for that; empty where it is of all regions
  std::vector<std::string> notes;     ///< besides those of the references
  std::vector<std::string> left_out;  ///< of the references
  std::size_t scans = 0;
};

/// Calibrates the passes of a result folder on its scans of known volume and writes the file.
/// @throws UsageError, CalibrationError.
CalibrateReport calibrate(const CalibrateOptions& options);

/// One scan per group: that whose draw (atom_uniform of its case_id and "group") is the smallest.
/// Cases without a group are groups of their own. Exported for tests.
std::vector<std::string> one_case_per_group(const std::vector<std::string>& case_ids,
                                            const std::map<std::string, std::string>& group_of);

/// How many references a level takes, and how far coverage spreads from one calibration to another.
struct PlanRow {
  NominalCoverage level;
  std::int64_t n = 0;
  std::int64_t rank = 0;
  double expected_coverage = 0;
  Range coverage_range;  ///< 90 % of calibration sets
};
std::vector<PlanRow> plan_references(const std::vector<NominalCoverage>& levels);

}  // namespace mcvol
