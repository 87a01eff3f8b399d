#pragma once

#include "mcvol/image/grid_spec.h"
#include "mcvol/image/intensity.h"
#include "mcvol/image/prepared_scan.h"
#include "mcvol/io/images/image_source.h"
#include "mcvol/timing/stage_timings.h"

#include <functional>
#include <vector>

namespace mcvol {

/// How a scan is brought to the network.
struct ScanPreparation {
  GridSpec grid;
  std::vector<IntensitySpec> intensities;  ///< one per channel
  bool measure_all = false;                ///< every voxel counts, not only the brain
  bool skull_stripped = false;             ///< a channel without a background is refused
  /// Is shown the scan, its brain known, with the intensities of its files; may be empty. Pictures
  /// are made of these: a network's clipping leaves a tumour one white.
  std::function<void(const PreparedScan& scan)> before_normalising;
};

/// Loads one image per channel, checks that all lie on one grid and that no two are the same image,
/// reorients, resamples, finds the brain and normalises. What is background is looked for in each
/// channel (find_background()); in what comes out it is 0.
/// @param timings gets the time of `read` and `prepare` added.
/// @throws InputError naming the file, what was expected and what was found.
PreparedScan load_scan(const std::vector<ImageSource>& channel_files,
                       const ScanPreparation& preparation, StageTimings& timings);

}  // namespace mcvol
