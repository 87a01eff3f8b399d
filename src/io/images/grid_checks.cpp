#include "grid_checks.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "refusal.h"

namespace mcvol {
namespace {

constexpr std::int64_t kMostVoxels = std::int64_t{1} << 32;
constexpr double kSmallestSpacingMm = 0.05;
constexpr double kLargestSpacingMm = 20.0;
constexpr double kShearTolerance = 1e-3;  // cosine between axes: 0.06 degrees

}  // namespace

std::string joined_by_x(const Eigen::Vector3d& values) {
  return short_number(values[0]) + 'x' + short_number(values[1]) + 'x' + short_number(values[2]);
}

void require_voxel_count(const std::string& name, const Index3& size, const std::string& shape,
                         std::int64_t images) {
  // One after the other: a product of four might wrap around.
  std::int64_t most = kMostVoxels;
  for (const std::int64_t factor : {size[0], size[1], size[2], images}) most /= factor;
  if (most == 0) {
    refuse(name, "claims " + shape + " voxels, more than the 2^32 that can be read; damaged?");
  }
}

void require_voxel_size(const std::string& name, const Eigen::Vector3d& spacing_mm,
                        const std::string& source) {
  if (!spacing_mm.allFinite() || spacing_mm.minCoeff() < kSmallestSpacingMm ||
      spacing_mm.maxCoeff() > kLargestSpacingMm) {
    refuse(name, "voxel size " + joined_by_x(spacing_mm) + " mm (" + source + "), expected " +
                     short_number(kSmallestSpacingMm) + " to " + short_number(kLargestSpacingMm) +
                     " mm; repair the header");
  }
}

void require_no_shear(const std::string& name, const Eigen::Matrix3d& direction,
                      const std::string& source) {
  const Eigen::Matrix3d cosines = direction.transpose() * direction;
  const double shear =
      std::max({std::abs(cosines(0, 1)), std::abs(cosines(0, 2)), std::abs(cosines(1, 2))});
  if (!(shear <= kShearTolerance)) {
    refuse(name, "sheared " + source + " (cosine " + short_number(shear) +
                     " between two axes, expected 0); resample the image onto a grid without "
                     "shear");
  }
}

}  // namespace mcvol
