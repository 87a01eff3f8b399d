#include "mcvol/image/axial_plane.h"

#include <gtest/gtest.h>

namespace mcvol {
namespace {

/// 4 x 6 x 5 voxels of 1 x 2 x 3 mm, along L, P and S.
Grid grid_along_lps() {
  Grid grid;
  grid.size = {4, 6, 5};
  grid.spacing_mm = {1, 2, 3};
  return grid;
}

TEST(AxialPlane, OfAGridAlongLpsKeepsItsIndices) {
  const AxialPlane plane(grid_along_lps());
  EXPECT_EQ(plane.width, 4);
  EXPECT_EQ(plane.height, 6);
  EXPECT_EQ(plane.through, 2u);
  EXPECT_EQ(plane.aspect, 2);
  EXPECT_EQ(plane.pixel_of({3, 5, 1}), 4 * 6 - 1);
  EXPECT_EQ(plane.pixel_of({1, 2, 4}), 4 * 2 + 1);
}

// The patient's left is on the right and anterior at the top, however the voxels lie.
TEST(AxialPlane, OfAnyOrientationShowsTheSamePlaceInTheSamePixel) {
  // Indices run to inferior, right and anterior.
  Grid turned;
  turned.size = {5, 4, 6};
  turned.spacing_mm = {3, 1, 2};
  turned.direction << 0, -1, 0, 0, 0, -1, -1, 0, 0;
  turned.origin_mm = {3, 10, 12};
  const Grid straight = grid_along_lps();
  const AxialPlane a(straight), b(turned);
  ASSERT_EQ(orientation_of(turned), "IRA");
  EXPECT_EQ(b.width, 4);
  EXPECT_EQ(b.height, 6);
  EXPECT_EQ(b.through, 0u);
  EXPECT_EQ(b.aspect, 2);
  for (const Index3& voxel : {Index3{0, 0, 0}, Index3{3, 1, 2}, Index3{1, 5, 4}}) {
    const Eigen::Vector3d index = turned.index_from_physical(
        straight.physical_from_index({static_cast<double>(voxel[0]), static_cast<double>(voxel[1]),
                                      static_cast<double>(voxel[2])}));
    const Index3 same{std::lround(index[0]), std::lround(index[1]), std::lround(index[2])};
    EXPECT_EQ(b.pixel_of(same), a.pixel_of(voxel));
  }
}

TEST(AxialPlane, OfALargeGridTakesSeveralVoxelsToAPixel) {
  Grid grid = grid_along_lps();
  grid.size = {513, 300, 5};
  const AxialPlane plane(grid);
  EXPECT_EQ(plane.step, 3);
  EXPECT_EQ(plane.width, 171);
  EXPECT_EQ(plane.height, 100);
  EXPECT_EQ(plane.pixel_of({512, 299, 0}), 171 * 100 - 1);
  grid.size = {256, 256, 5};
  EXPECT_EQ(AxialPlane(grid).step, 1);
}

}  // namespace
}  // namespace mcvol
