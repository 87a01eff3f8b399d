#pragma once

#include "mcvol/image/grid.h"
#include "mcvol/image/image_quality.h"
#include "mcvol/volumetry/logit_histogram.h"
#include "mcvol/volumetry/monte_carlo_error.h"

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace mcvol {

/// One file a case was read from. The name only: no folder, so that records may be passed on.
struct InputFile {
  std::string channel;
  std::string file_name;
  std::string sha256;  ///< of the file's bytes
  std::int64_t size_bytes = 0;
  std::int64_t mtime_ns = 0;  ///< since the epoch; with size_bytes, spares re-hashing on resume
  std::optional<std::int64_t> index;  ///< of the image in a 4-D file; not in formats 1 to 3
};

/// The sha256 of the file, of an image in a 4-D file with its index: "…[2]".
std::string digest_of(const InputFile& input);

/// What a region's segmentation is made of: voxels of the network's grid whose mean probability
/// over passes exceeds 0.5.
struct SegmentationShape {
  std::int64_t foci = 0;                  ///< its connected components (component_sizes())
  std::int64_t largest_focus_voxels = 0;  ///< 0 where there is none
  bool touches_border = false;  ///< a voxel has a neighbour by a face that lies outside the scan
};

/// What the passes gave for one region.
struct RegionRecord {
  std::string region;
  std::vector<LogitHistogram> passes;  ///< one per pass, in order
  LogitHistogram mean;                 ///< of the mean probability over passes
  /// One pass with dropout off per network of the bundle; empty in records of format 1.
  std::vector<LogitHistogram> without_dropout;
  /// Of the bounds of the level-set interval at level 0.9; none of a single round of passes, and in
  /// records of formats 1 and 2.
  std::optional<MonteCarloError> monte_carlo_error;
  std::optional<SegmentationShape> segmentation;  ///< none in records of formats 1 to 3
  /// Voxels with p > 0.5 in 0, 1, … all of the passes; empty in records of formats 1 to 3.
  std::vector<std::int64_t> agreement;
};

/// Everything kept of a case: cases/<case_id>.json. Every conversion, level and calibration is a
/// pure function of it. A failed case keeps what comes before `grid`, and nothing of the rest.
struct CaseRecord {
  enum class Status { kOk, kFailed };

  std::string case_id;
  Status status = Status::kOk;
  std::string error;               ///< one line, when failed
  std::string run_identity;        ///< sha256 of the run identity it was made under
  std::string model;               ///< sha256 of the bundle's model.json
  std::vector<std::string> flags;  ///< sorted: empty, touches_border, resampled …
  /// What of the files was out of the ordinary and has been seen to, a line each.
  std::vector<std::string> notes;
  std::vector<InputFile> inputs;
  Grid grid;  ///< the network's; its voxels are what is counted
  /// Of the input, its channels as in `inputs`; none in records of formats 1 to 3.
  std::optional<ImageQuality> image_quality;
  int passes = 0;
  std::vector<RegionRecord> regions;  ///< in the bundle's order

  /// Whether two records hold the same measurement (all but file times and notes). What one of them
  /// has not, since an earlier version made it, does not tell them apart.
  bool same_measurement(const CaseRecord& other) const;
};

/// Tells measurements of one case apart, of other settings or files: the first 8 bytes of a
/// SHA-256 of the run identity and the inputs.
using Measurement = std::array<std::uint8_t, 8>;
Measurement measurement_of(const CaseRecord& record);

/// Where a result folder keeps a case's record: `folder`/cases/<case_id>.json.
std::filesystem::path case_record_path(const std::filesystem::path& folder,
                                       const std::string& case_id);

/// The ids of the cases that `folder`/cases has a record of, sorted (bytes), by file name only;
/// empty where there is no such folder. @throws Error where it cannot be listed.
std::vector<std::string> recorded_case_ids(const std::filesystem::path& folder);

/// Reads any format version up to its own. @throws InputError naming the file and the field.
CaseRecord read_case_record(const std::filesystem::path& path);

/// The record of a case in a result folder; it must be of that case. A run that resumes takes a
/// record it cannot read as not measured. @throws InputError naming the file and the field.
CaseRecord read_case_record(const std::filesystem::path& folder, const std::string& case_id);

/// Writes atomically; the same record gives the same bytes. @throws Error when it cannot.
void write_case_record(const CaseRecord& record, const std::filesystem::path& path);

}  // namespace mcvol
