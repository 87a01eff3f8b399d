#include "mcvol/image/slice_plane.h"

#include <cmath>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace mcvol {
namespace {

constexpr std::array kAllPlanes{Plane::kAxial, Plane::kCoronal, Plane::kSagittal};

/// 4 x 6 x 5 voxels of 1 x 2 x 3 mm, along L, P and S.
Grid grid_along_lps() {
  Grid grid;
  grid.size = {4, 6, 5};
  grid.spacing_mm = {1, 2, 3};
  return grid;
}

TEST(SlicePlane, AxialOneOfAGridAlongLpsKeepsItsIndices) {
  const SlicePlane plane(grid_along_lps(), Plane::kAxial);
  EXPECT_EQ(plane.width, 4);
  EXPECT_EQ(plane.height, 6);
  EXPECT_EQ(plane.through, 2u);
  EXPECT_EQ(plane.aspect(), 2);
  EXPECT_EQ(plane.pixel_of({3, 5, 1}), 4 * 6 - 1);
  EXPECT_EQ(plane.pixel_of({1, 2, 4}), 4 * 2 + 1);
}

TEST(SlicePlane, CoronalOneIsSeenFromTheFrontAndSagittalOneFromTheLeft) {
  const SlicePlane coronal(grid_along_lps(), Plane::kCoronal);
  EXPECT_EQ(coronal.width, 4);
  EXPECT_EQ(coronal.height, 5);
  EXPECT_EQ(coronal.through, 1u);
  EXPECT_EQ(coronal.pixel_width_mm, 1);
  EXPECT_EQ(coronal.pixel_height_mm, 3);
  EXPECT_EQ(coronal.pixel_of({0, 2, 4}), 0);  // right and superior
  EXPECT_EQ(coronal.pixel_of({3, 2, 0}), 4 * 5 - 1);
  const SlicePlane sagittal(grid_along_lps(), Plane::kSagittal);
  EXPECT_EQ(sagittal.width, 6);
  EXPECT_EQ(sagittal.height, 5);
  EXPECT_EQ(sagittal.through, 0u);
  EXPECT_EQ(sagittal.pixel_width_mm, 2);
  EXPECT_EQ(sagittal.pixel_height_mm, 3);
  EXPECT_EQ(sagittal.pixel_of({1, 0, 4}), 0);  // anterior and superior
  EXPECT_EQ(sagittal.pixel_of({1, 5, 0}), 6 * 5 - 1);
}

/// Indices run to inferior, right and anterior; the same voxels as grid_along_lps().
Grid turned_grid() {
  Grid turned;
  turned.size = {5, 4, 6};
  turned.spacing_mm = {3, 1, 2};
  turned.direction << 0, -1, 0, 0, 0, -1, -1, 0, 0;
  turned.origin_mm = {3, 10, 12};
  return turned;
}

Index3 same_voxel(const Grid& grid, const Index3& voxel, const Grid& in) {
  const Eigen::Vector3d index = in.index_from_physical(
      grid.physical_from_index({static_cast<double>(voxel[0]), static_cast<double>(voxel[1]),
                                static_cast<double>(voxel[2])}));
  return {std::lround(index[0]), std::lround(index[1]), std::lround(index[2])};
}

TEST(SlicePlane, OfAnyOrientationShowsTheSamePlaceInTheSamePixel) {
  const Grid straight = grid_along_lps(), turned = turned_grid();
  ASSERT_EQ(orientation_of(turned), "IRA");
  for (const Plane plane : kAllPlanes) {
    const SlicePlane a(straight, plane), b(turned, plane);
    EXPECT_EQ(b.width, a.width);
    EXPECT_EQ(b.height, a.height);
    EXPECT_EQ(b.pixel_width_mm, a.pixel_width_mm);
    EXPECT_EQ(b.pixel_height_mm, a.pixel_height_mm);
    EXPECT_EQ(turned.size[b.through], straight.size[a.through]);
    // Slices are counted from right, front and below in LPS; here from the other sides.
    EXPECT_FALSE(a.through_reversed);
    EXPECT_TRUE(b.through_reversed);
    for (const Index3& voxel : {Index3{0, 0, 0}, Index3{3, 1, 2}, Index3{1, 5, 4}}) {
      EXPECT_EQ(b.pixel_of(same_voxel(straight, voxel, turned)), a.pixel_of(voxel));
    }
  }
}

/// The letter of the side of the patient that lies furthest along `direction` (LPS).
char side_towards(const Eigen::Vector3d& direction) {
  Eigen::Index axis = 0;
  direction.cwiseAbs().maxCoeff(&axis);
  return std::string(direction[axis] > 0 ? "LPS" : "RAI")[static_cast<std::size_t>(axis)];
}

TEST(SlicePlane, LettersSayWhichSideOfThePatientLiesAtWhichEdge) {
  for (const Grid& grid : {grid_along_lps(), turned_grid()}) {
    for (const Plane plane : kAllPlanes) {
      const SlicePlane of(grid, plane);
      // From voxels, through pixels, to millimetres.
      const auto place_of = [&](std::int64_t wanted) {
        for (std::int64_t n = 0; n < grid.voxel_count(); ++n) {
          const Index3 voxel{n % grid.size[0], n / grid.size[0] % grid.size[1],
                             n / grid.size[0] / grid.size[1]};
          if (voxel[of.through] != 1 || of.pixel_of(voxel) != wanted) continue;
          return grid.physical_from_index({static_cast<double>(voxel[0]),
                                           static_cast<double>(voxel[1]),
                                           static_cast<double>(voxel[2])});
        }
        throw std::logic_error("a pixel without a voxel");
      };
      const Eigen::Vector3d across = place_of(of.width - 1) - place_of(0);
      const Eigen::Vector3d down = place_of(of.width * (of.height - 1)) - place_of(0);
      EXPECT_EQ(of.right, side_towards(across));
      EXPECT_EQ(of.left, side_towards(-across));
      EXPECT_EQ(of.bottom, side_towards(down));
      EXPECT_EQ(of.top, side_towards(-down));
    }
  }
}

TEST(SlicePlane, OfALargeGridTakesSeveralVoxelsToAPixel) {
  Grid grid = grid_along_lps();
  grid.size = {513, 300, 5};
  const SlicePlane plane(grid, Plane::kAxial);
  EXPECT_EQ(plane.step_across, 3);
  EXPECT_EQ(plane.step_down, 3);
  EXPECT_EQ(plane.width, 171);
  EXPECT_EQ(plane.height, 100);
  EXPECT_EQ(plane.pixel_of({512, 299, 0}), 171 * 100 - 1);
  grid.size = {256, 256, 5};
  EXPECT_EQ(SlicePlane(grid, Plane::kAxial).step_across, 1);
}

TEST(SlicePlane, OfAFineGridWithFewThickSlicesLosesNoneOfThem) {
  Grid grid = grid_along_lps();
  grid.size = {512, 512, 30};
  grid.spacing_mm = {0.5, 0.5, 5};
  const SlicePlane plane(grid, Plane::kSagittal);
  EXPECT_EQ(plane.width, 256);
  EXPECT_EQ(plane.height, 30);
  EXPECT_EQ(plane.aspect(), 5);  // two voxels of 0.5 mm beside one of 5 mm
}

}  // namespace
}  // namespace mcvol
