#pragma once

#include "mcvol/analysis/calibration_use.h"
#include "mcvol/analysis/referenced_results.h"
#include "mcvol/calibration/volume_change.h"
#include "mcvol/io/tables/change_table.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace mcvol {

struct ChangeOptions {
  std::filesystem::path results;
  std::filesystem::path pairs;          ///< of read_pairs()
  CalibrationChoice calibration;        ///< by default the one that the result folder keeps
  std::vector<NominalCoverage> levels;  ///< empty: those of the run
  ChangeDependence dependence;
  /// Known volumes that the correlation of each region is estimated from, in place of
  /// `dependence.correlation`.
  std::optional<ReferenceSource> references;
  double growth_threshold = 0;  ///< relative to the baseline, in [0, 1)
  int threads = 1;
};

struct ChangeTable {
  /// In the order of the pairs; regions as in the bundle, levels ascending.
  std::vector<ChangeRow> rows;
  int pairs = 0;
  int failed = 0;                      ///< of the pairs
  std::vector<std::string> notes;      ///< what is to be known of it, a line each
  std::vector<std::string> left_out;   ///< of the references
  std::vector<std::string> estimates;  ///< the correlations, a line each
};

/// Fewer pairs of known volume say nothing of a correlation.
inline constexpr std::size_t kLeastReferencePairs = 20;

/// The change between the two scans of each pair. No inference.
/// @throws UsageError, CalibrationError; without a calibration too: raw distributions promise
///   nothing that a difference could be made of.
ChangeTable measure_change(const ChangeOptions& options);

}  // namespace mcvol
