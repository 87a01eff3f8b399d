#pragma once

#include "mcvol/image/slice_plane.h"
#include "mcvol/io/tables/volume_row.h"
#include "mcvol/volumetry/logit_histogram.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "report/figures/contour.h"

namespace mcvol {

using Lines = std::vector<std::vector<PicturePoint>>;

/// The contours of a region in a slice.
struct RegionContours {
  std::string region, interval_ml;
  std::size_t channel = 0;  ///< what they are drawn on
  std::array<Lines, 3> lines;
};

/// Lines are drawn in this order, so that the volume's lies on top.
constexpr std::array<const char*, 3> kLineKinds{"upper", "lower", "middle"};

/// Part of a slice: bytes of byte_from_probability(), row by row.
struct ProbabilityPicture {
  std::vector<std::uint8_t> bytes;
  std::int64_t width = 0;
};

/// Lines where the mean probability has the ends and the middle of the interval of `row` above it,
/// in the whole scan. Small islands are left out (kLeastIsland_mm2).
/// @param mean of the region's mean probability over the whole scan.
RegionContours contours_of(const VolumeRow& row, const LogitHistogram& mean,
                           const ProbabilityPicture& picture, const SlicePlane& plane,
                           double voxel_volume_ml);

}  // namespace mcvol
