#pragma once

#include "mcvol/analysis/batch_check.h"
#include "mcvol/calibration/nominal_coverage.h"
#include "mcvol/io/records/calibration_file.h"
#include "mcvol/io/records/case_record.h"
#include "mcvol/io/tables/volume_row.h"
#include "mcvol/quality/scan_comparison.h"
#include "mcvol/volumetry/volume_distribution.h"

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mcvol {

/// A calibration and the records it applies to.
struct AppliedCalibration {
  CalibrationFile file;
  std::string run_identity;  ///< sha256; records of other runs stay uncalibrated
  bool other_seed = false;   ///< made with another seed of the dropout masks than these records
  /// Null where the file does not say what its scans look like.
  std::shared_ptr<const ScanComparison> comparison;
  /// Segmentations of this expected Dice or less are flagged `low_quality`; none: of each region,
  /// that of the worst of the calibration's scans (RegionCalibration::usual_least_dice).
  std::optional<double> least_dice;
};
using CalibrationPointer = std::shared_ptr<const AppliedCalibration>;

/// What the record says of a region, for conversions and calibrations.
RegionPrediction prediction_of(const CaseRecord& record, const RegionRecord& region);

/// Whether the record has of every region what a calibration by regression takes: not one of
/// formats 1 to 3.
bool has_regression_features(const CaseRecord& record);

/// The rows of a record: region by region as in the bundle, levels in the order given (of
/// parse_levels: ascending).
///
/// `raw_*` are the median and the quantiles (1 ± level) / 2 of the level-set mixture over passes.
/// Flags of a row: the record's; `uncalibrated`, or what the calibration has to say of it; and
/// `empty` where no voxel's mean probability of the region exceeds 0.5 (decided per region,
/// whatever the record says).
/// @param calibration may be null. @param sampler of the raw columns: with another than level sets
///   rows carry the flag `other_sampler`.
/// @throws CalibrationError where it has too few references for a level.
std::vector<VolumeRow> rows_of(const CaseRecord& record, const std::vector<NominalCoverage>& levels,
                               const AppliedCalibration* calibration = nullptr,
                               const SamplerOptions& sampler = {});
/// The same, with what findings_of() said of the record.
struct ScanFinding;
std::vector<VolumeRow> rows_of(const CaseRecord& record, const std::vector<NominalCoverage>& levels,
                               const AppliedCalibration* calibration, const SamplerOptions& sampler,
                               const std::vector<ScanFinding>& findings);
/// "case_07: t1 and flair look exchanged", of each finding that has words.
std::vector<std::string> words_of(const CaseRecord& record,
                                  const std::vector<ScanFinding>& findings);

/// volumes.csv as it grows: a run puts each record in as it is finished and writes the table now
/// and then, without reading or converting the records again. Sorted by case_id (bytes). Not
/// thread-safe.
class VolumeTable {
 public:
  /// @param levels of parse_levels. @param calibration may be null.
  explicit VolumeTable(std::vector<NominalCoverage> levels, CalibrationPointer calibration = {});

  /// Takes the rows of a record, in place of those it has of the case, and returns them.
  std::vector<VolumeRow> put(const CaseRecord& record);
  /// Takes rows made elsewhere.
  void put(const std::string& case_id, const std::vector<VolumeRow>& rows);
  /// Whether its scans are of the calibration's kind; none where that is not known. Of rows made
  /// elsewhere it knows nothing.
  std::optional<BatchCheck> batch() const { return batch_.check(); }
  /// Which channels or axes of which scans look exchanged, a line each, by case_id.
  std::vector<std::string> faults() const;
  /// The table's text.
  std::string csv() const;
  /// Writes `folder`/volumes.csv. Atomic. @throws Error when it cannot be written.
  void write(const std::filesystem::path& folder) const;

 private:
  std::vector<NominalCoverage> levels_;
  CalibrationPointer calibration_;
  std::map<std::string, std::string> lines_;  ///< by case_id
  BatchScans batch_;
  std::map<std::string, std::vector<std::string>> faults_;  ///< words_of(), by case_id
};

}  // namespace mcvol
