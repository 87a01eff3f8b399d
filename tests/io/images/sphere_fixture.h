#pragma once

#include "mcvol/image/image.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <numbers>
#include <string>
#include <vector>

#include <Eigen/Core>
#include <Eigen/Geometry>

namespace mcvol::test {

inline std::string file_bytes(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Sphere {
  Eigen::Vector3d centre_mm;  ///< LPS
  double radius_mm;

  double volume_ml() const { return 4.0 / 3.0 * std::numbers::pi * std::pow(radius_mm, 3) / 1000; }
};

/// A large sphere with a small one to its upper left front: any flip or swap of axes moves the
/// centroid by millimetres.
inline const std::vector<Sphere>& two_spheres() {
  static const std::vector<Sphere> spheres{{{10.3, -27.2, 38.1}, 15.0}, {{27.7, -37.9, 52.4}, 6.0}};
  return spheres;
}
inline Eigen::Vector3d middle_of_two_spheres() { return {14.0, -29.0, 41.0}; }

inline double volume_ml(const std::vector<Sphere>& spheres) {
  double sum = 0.0;
  for (const Sphere& sphere : spheres) {
    sum += sphere.volume_ml();
  }
  return sum;
}

inline Eigen::Vector3d centroid_mm(const std::vector<Sphere>& spheres) {
  Eigen::Vector3d sum = Eigen::Vector3d::Zero();
  for (const Sphere& sphere : spheres) {
    sum += sphere.volume_ml() * sphere.centre_mm;
  }
  return sum / volume_ml(spheres);
}

/// A grid of about `extent_mm` along every axis whose middle lies at `middle_mm`.
inline Grid grid_around(const Eigen::Vector3d& middle_mm, double extent_mm,
                        const Eigen::Vector3d& spacing_mm, const Eigen::Matrix3d& direction) {
  Grid grid;
  grid.spacing_mm = spacing_mm;
  grid.direction = direction;
  Eigen::Vector3d half;
  for (int axis = 0; axis < 3; ++axis) {
    // Sizes differ, so that swapped axes do not fit by chance.
    grid.size[axis] = static_cast<std::int64_t>(std::ceil(extent_mm / spacing_mm[axis])) + axis;
    half[axis] = static_cast<double>(grid.size[axis] - 1) / 2.0;
  }
  grid.origin_mm = middle_mm - direction * spacing_mm.cwiseProduct(half);
  return grid;
}

/// 1 in voxels whose centre lies in a sphere. With `edge_mm`, intensities fall linearly from 1 to 0
/// across that width, centred on the surface.
template <typename Value>
Image<Value> image_of(const std::vector<Sphere>& spheres, const Grid& grid, double edge_mm = 0.0) {
  Image<Value> image(grid);
  std::size_t voxel = 0;
  for (std::int64_t k = 0; k < grid.size[2]; ++k) {
    for (std::int64_t j = 0; j < grid.size[1]; ++j) {
      for (std::int64_t i = 0; i < grid.size[0]; ++i, ++voxel) {
        const Eigen::Vector3d point_mm = grid.physical_from_index(
            {static_cast<double>(i), static_cast<double>(j), static_cast<double>(k)});
        double value = 0.0;
        for (const Sphere& sphere : spheres) {
          const double inside_mm = sphere.radius_mm - (point_mm - sphere.centre_mm).norm();
          const double here = edge_mm > 0.0 ? std::clamp(inside_mm / edge_mm + 0.5, 0.0, 1.0)
                                            : (inside_mm >= 0.0 ? 1.0 : 0.0);
          value = std::max(value, here);
        }
        image.values[voxel] = static_cast<Value>(value);
      }
    }
  }
  return image;
}

struct Measured {
  double volume_ml = 0.0;
  Eigen::Vector3d centroid_mm = Eigen::Vector3d::Zero();
};

/// Voxels above one half, times the voxel's volume; and where they lie.
template <typename Value>
Measured measured(const Image<Value>& image) {
  Measured result;
  const Grid& grid = image.grid;
  double count = 0.0;
  std::size_t voxel = 0;
  for (std::int64_t k = 0; k < grid.size[2]; ++k) {
    for (std::int64_t j = 0; j < grid.size[1]; ++j) {
      for (std::int64_t i = 0; i < grid.size[0]; ++i, ++voxel) {
        if (static_cast<double>(image.values[voxel]) > 0.5) {
          count += 1.0;
          result.centroid_mm += grid.physical_from_index(
              {static_cast<double>(i), static_cast<double>(j), static_cast<double>(k)});
        }
      }
    }
  }
  result.centroid_mm /= count;
  result.volume_ml = count * grid.voxel_volume_ml();
  return result;
}

/// What counting voxels may be off by. Voxels that the surface does not cut are right. A surface of
/// area S cuts about S / 2 * (1 / (h2 h3) + 1 / (h1 h3) + 1 / (h1 h2)) voxels of h1 x h2 x h3; each
/// is wrong by a fraction spread over (-1/2, 1/2), SD 1 / sqrt(12). Four SD of their sum.
struct CountingTolerance {
  double volume_ml;
  double centroid_mm;
};
inline CountingTolerance counting_tolerance(const std::vector<Sphere>& spheres,
                                            const Eigen::Vector3d& spacing_mm) {
  double variance = 0.0;
  double lever = 0.0;
  for (const Sphere& sphere : spheres) {
    const double surface = 4.0 * std::numbers::pi * sphere.radius_mm * sphere.radius_mm;
    const double cut = surface / 2.0 * spacing_mm.sum() / spacing_mm.prod();
    const double reach = (sphere.centre_mm - centroid_mm(spheres)).norm() + sphere.radius_mm;
    variance += cut / 12.0;
    lever += cut / 12.0 * reach * reach;
  }
  const double voxel_ml = spacing_mm.prod() / 1000.0;
  return {4.0 * std::sqrt(variance) * voxel_ml,
          4.0 * std::sqrt(lever) * voxel_ml / volume_ml(spheres)};
}

/// The 48 ways to lay three indices along three axes, turned by `rotation`.
inline std::vector<Eigen::Matrix3d> forty_eight_directions(const Eigen::Matrix3d& rotation) {
  std::vector<Eigen::Matrix3d> directions;
  std::array<int, 3> order{0, 1, 2};
  do {
    for (int signs = 0; signs < 8; ++signs) {
      Eigen::Matrix3d axes = Eigen::Matrix3d::Zero();
      for (int index = 0; index < 3; ++index) {
        axes(order[index], index) = ((signs >> index) & 1) != 0 ? -1.0 : 1.0;
      }
      directions.push_back(rotation * axes);
    }
  } while (std::next_permutation(order.begin(), order.end()));
  return directions;
}

inline Eigen::Matrix3d oblique_rotation() {
  return Eigen::AngleAxisd(0.3, Eigen::Vector3d(1, -2, 3).normalized()).toRotationMatrix();
}

}  // namespace mcvol::test
