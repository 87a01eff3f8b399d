#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mcvol {

/// One row of volumes.csv: a case, region and level; a failed case has one row with neither.
struct VolumeRow {
  std::string case_id;
  std::string region;                                   ///< empty in a failed row
  std::string level;                                    ///< as given; empty in a failed row
  std::optional<double> volume_ml, lower_ml, upper_ml;  ///< calibrated
  std::optional<double> raw_volume_ml, raw_lower_ml, raw_upper_ml;  ///< level sets over all passes
  std::optional<double> segmented_ml;  ///< voxels whose mean probability exceeds 0.5
  std::optional<int> passes;
  std::string status;  ///< "ok" or "failed"
  std::vector<std::string> flags;
  std::string error;
  std::string model;                          ///< first 8 digits of the bundle's sha256
  std::string calibration;                    ///< first 8 digits, or empty
  std::optional<std::int64_t> foci;           ///< connected components of the segmentation
  std::optional<double> largest_focus_share;  ///< of its voxels, (0, 1]; none without foci
  /// Expected Dice of the segmentation with a reference, and what it is at least, with the
  /// probability of the level; none where no calibration knows.
  std::optional<double> dice, dice_lower;
};

/// Header and rows as RFC 4180 CSV, ml with three decimals; the line break (LF) is included.
std::string volume_csv_header();
std::string to_csv(const VolumeRow& row);
/// One JSON object and a line break: empty = null, flags a list, numbers in full precision.
std::string to_json_line(const VolumeRow& row);

}  // namespace mcvol
