#pragma once

#include "mcvol/calibration/region_calibration.h"
#include "mcvol/image/image_quality.h"
#include "mcvol/io/records/run_file.h"
#include "mcvol/io/tables/references.h"

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace mcvol {

struct ReferencedResults;

/// Where known volumes come from.
struct ReferenceSource {
  std::filesystem::path path;           ///< a table, or a folder of label maps
  std::filesystem::path segmentations;  ///< label maps beside a table, for Dice alone; may be empty
  std::map<int, int> label_map;         ///< of the values in label maps
  bool accept = false;                  ///< also what judge_references() would refuse
  bool dice = false;  ///< whether saved segmentations are compared with label maps
  /// Called once, before anything is made of them and before an error that says they cannot be
  /// used: what is to be said of them is its reason.
  std::function<void(const ReferencedResults&)> said;
};

/// A region whose volume is known.
struct ReferencedRegion {
  std::string region;
  double volume_ml = 0;
  double raw_ml = 0;             ///< predicted_volume_ml() of what the passes say
  double segmented_ml = 0;       ///< voxels whose mean probability exceeds 0.5
  bool without_dropout = false;  ///< whether the record has a pass without dropout
  bool agreement = false;        ///< and the agreement of passes
  std::optional<double> dice;    ///< of the saved segmentation with the label map
};

/// A measured case with at least one known volume: what it takes to judge and to choose cases. What
/// the passes say of it is as large as its record, and read where it is used (read_predictions()).
struct ReferencedCase {
  std::string case_id;
  std::string scan_sha256;
  double voxel_ml = 0;
  std::vector<ReferencedRegion> regions;
  std::map<int, double> labels_ml;            ///< of its label map, by label of the model
  std::set<int> values;                       ///< in its label map
  std::string problem;                        ///< why record or label map cannot be read
  std::optional<int> unknown_label;           ///< a value of its label map that stands for nothing
  std::optional<ImageQuality> image_quality;  ///< of its record
  bool has_label_map = false;
  std::string why_no_dice;  ///< of a saved segmentation that cannot be compared with its label map

  /// Whether its record has a pass without dropout of every region: not one of format 1.
  bool has_pass_without_dropout() const;
  /// Whether it has what the regression takes: not one of formats 1 to 3.
  bool has_regression_features() const;
};

/// The measured cases of a result folder that have references.
struct ReferencedResults {
  std::filesystem::path folder;
  RunFile run;
  std::vector<std::string> regions;   ///< of the bundle, in its order
  std::vector<ReferencedCase> cases;  ///< sorted by case_id
  double voxel_ml = 0;                ///< of the first of them
  std::vector<std::string> facts;  ///< how references compare with what was measured, a line each
  std::vector<std::string> notes;  ///< what was not used and how much of it, a line each
  std::vector<std::string> left_out;  ///< what cannot be read or matches nothing, a line each
};

/// The run of a result folder. @throws UsageError where it holds none.
RunFile require_run_file(const std::filesystem::path& folder);

/// Reads records and references. Failed records, records of other runs, cases without references
/// and references without cases are counted in the notes; what cannot be read, and names that match
/// nothing where something lacks a match, is named in left_out.
/// @throws UsageError for references that cannot be read or that judge_references() refuses, for a
///   value of no region in more label maps than a slip of the hand explains, or where no case or
///   for a region none has one.
ReferencedResults read_referenced_results(const std::filesystem::path& folder,
                                          const ReferenceSource& source, int threads);

/// Reads the records of the cases, one after the other on each of several threads, and hands what
/// the passes say of a case's regions, in the order of ReferencedCase::regions, to `work`. No
/// histogram is in memory but those of the cases at work.
/// @throws Error for a record that has changed since the cases were read.
void read_predictions(
    const ReferencedResults& results, int threads,
    const std::function<void(std::size_t case_number,
                             const std::vector<RegionPrediction>& predictions)>& work);

/// How many of the cases with label maps have no Dice, and why; empty where all have one, and where
/// the references are volumes alone or overlap (LabelMeaning).
std::string cases_without_dice(const ReferencedResults& results);

/// Leaves out the cases whose records lack what a method takes. @return what is to be said of it;
/// empty where there are none.
std::string leave_out_earlier_records(ReferencedResults& results, IntervalMethod method);

/// Leaves out the cases whose scans have the same files as another's, so that each scan counts
/// once: that with most references stays, of equals the first. @return what is to be said of it;
/// empty where there are none.
std::string leave_out_repeated_scans(ReferencedResults& results);

}  // namespace mcvol
