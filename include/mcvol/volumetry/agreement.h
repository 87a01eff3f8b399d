#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace mcvol {

/// Generalised Dice between the passes of a region: over all pairs of passes, twice the voxels that
/// both have (p > 0.5) over those that either has. With n_c voxels in c of T passes that is
/// 2 sum C(c, 2) n_c / ((T - 1) sum c n_c), 0 where no two passes share a voxel and 1 where all
/// have the same. The pairs are weighed by the size of their segmentations, so that one pass with a
/// voxel and one without do not count as much as two whole tumours that differ (Crum, Camara, Hill,
/// "Generalized overlap measures for evaluation and validation in medical image analysis", IEEE
/// TMI 25, 2006; of Monte Carlo samples: Roy et al., NeuroImage 195, 2019).
///
/// @param voxels_by_count n_c for c = 0 … T, as RegionRecord::agreement has them.
/// @returns 1 where no pass has a voxel: they all say the same, that there is nothing. None of a
///   single pass, which has no pair.
/// @throws Error without any pass, or for a negative number.
std::optional<double> generalised_dice(std::span<const std::int64_t> voxels_by_count);

}  // namespace mcvol
