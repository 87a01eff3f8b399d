#pragma once

#include <array>
#include <cstdint>
#include <string>

#include <Eigen/Core>

// Physical coordinates are LPS millimetres everywhere in mcvol (ITK's and DICOM's convention: +x to
// the patient's Left, +y Posterior, +z Superior). NIfTI files say RAS; io converts on reading.

namespace mcvol {

using Index3 = std::array<std::int64_t, 3>;

/// Where the voxels of an image lie: index (i, j, k) has its centre at
/// `origin_mm + direction * diag(spacing_mm) * (i, j, k)`.
struct Grid {
  Index3 size{0, 0, 0};                                  ///< voxels along i, j, k
  Eigen::Vector3d spacing_mm = Eigen::Vector3d::Ones();  ///< > 0
  Eigen::Vector3d origin_mm = Eigen::Vector3d::Zero();   ///< LPS, centre of voxel (0, 0, 0)
  Eigen::Matrix3d direction =
      Eigen::Matrix3d::Identity();  ///< columns: LPS unit vectors of i, j, k

  std::int64_t voxel_count() const { return size[0] * size[1] * size[2]; }
  /// Millilitres per voxel (1 ml = 1000 mm3).
  double voxel_volume_ml() const { return spacing_mm.prod() / 1000.0; }
  /// Offset of (i, j, k) in an Image: i varies fastest.
  std::int64_t offset(std::int64_t i, std::int64_t j, std::int64_t k) const {
    return i + size[0] * (j + size[1] * k);
  }
  Eigen::Vector3d physical_from_index(const Eigen::Vector3d& index) const;
  Eigen::Vector3d index_from_physical(const Eigen::Vector3d& point_mm) const;
};

/// How far apart, in mm, the centres of corresponding corner voxels of two grids of equal size lie
/// at most.
double corner_distance_mm(const Grid& a, const Grid& b);

/// Whether two grids hold the same voxels: equal sizes, and no corner further apart than
/// `tolerance_mm`. The default forgives what single-precision headers round.
bool same_grid(const Grid& a, const Grid& b, double tolerance_mm = 1e-2);

/// The three letters that say where each index increases to, nibabel's convention ("LPS": i to the
/// patient's left, j to posterior, k to superior), of the axis order nearest to the direction.
std::string orientation_of(const Grid& grid);

/// "240x240x155 voxels of 1x1x1 mm, LPS": for messages.
std::string describe(const Grid& grid);

}  // namespace mcvol
