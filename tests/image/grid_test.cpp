#include "mcvol/image/grid.h"

#include <Eigen/Geometry>
#include <gtest/gtest.h>

namespace mcvol {
namespace {

Grid brats_like() {
  Grid grid;
  grid.size = {240, 240, 155};
  grid.origin_mm = {0.0, -239.0, 0.0};
  return grid;
}

Eigen::Matrix3d turned_about_z(double degrees) {
  return Eigen::AngleAxisd(degrees * M_PI / 180.0, Eigen::Vector3d::UnitZ()).toRotationMatrix();
}

TEST(Grid, PhysicalPointOfAnIndexFollowsDirectionSpacingAndOrigin) {
  Grid grid;
  grid.size = {4, 5, 6};
  grid.spacing_mm = {0.5, 2.0, 3.0};
  grid.origin_mm = {10.0, 20.0, 30.0};
  grid.direction << 0, 0, 1, -1, 0, 0, 0, 1, 0;
  // i runs along -y, j along +z, k along +x.
  EXPECT_TRUE(grid.physical_from_index({2, 3, 4}).isApprox(Eigen::Vector3d(22.0, 19.0, 36.0)));
}

TEST(Grid, IndexFromPhysicalInvertsPhysicalFromIndexOnAnObliqueGrid) {
  Grid grid = brats_like();
  grid.spacing_mm = {0.9, 1.1, 3.0};
  grid.direction = Eigen::AngleAxisd(0.4, Eigen::Vector3d(1, 2, 3).normalized()).toRotationMatrix();
  const Eigen::Vector3d index(12.25, 7.0, 100.5);
  EXPECT_TRUE(grid.index_from_physical(grid.physical_from_index(index)).isApprox(index, 1e-12));
}

TEST(Grid, VoxelVolumeIsInMillilitres) {
  Grid grid;
  grid.spacing_mm = {0.5, 0.5, 4.0};
  EXPECT_DOUBLE_EQ(grid.voxel_volume_ml(), 0.001);
}

TEST(Grid, OffsetVariesFastestAlongI) {
  Grid grid;
  grid.size = {4, 5, 6};
  EXPECT_EQ(grid.offset(3, 2, 1), 3 + 4 * 2 + 20 * 1);
  EXPECT_EQ(grid.voxel_count(), 120);
}

TEST(SameGrid, ForgivesWhatSinglePrecisionRoundsButNotATenthOfAMillimetre) {
  const Grid grid = brats_like();
  Grid other = grid;
  other.origin_mm[1] += 1e-3;
  EXPECT_TRUE(same_grid(grid, other));
  other.origin_mm[1] += 0.1;
  EXPECT_FALSE(same_grid(grid, other));
}

TEST(SameGrid, SeesASpacingThatOnlyDriftsApartAtTheFarCorner) {
  const Grid grid = brats_like();
  Grid other = grid;
  other.spacing_mm[0] = 1.001;
  EXPECT_FALSE(same_grid(grid, other));
  EXPECT_NEAR(corner_distance_mm(grid, other), 0.239, 1e-9);
}

TEST(SameGrid, DiffersWhereSizesDiffer) {
  const Grid grid = brats_like();
  Grid other = grid;
  other.size[2] = 154;
  EXPECT_FALSE(same_grid(grid, other));
}

TEST(OrientationOf, NamesWhereEachIndexIncreasesTo) {
  Grid grid;
  EXPECT_EQ(orientation_of(grid), "LPS");
  grid.direction = Eigen::Vector3d(-1, -1, 1).asDiagonal();
  EXPECT_EQ(orientation_of(grid), "RAS");
  grid.direction << 0, 0, -1, -1, 0, 0, 0, 1, 0;
  EXPECT_EQ(orientation_of(grid), "ASR");
}

TEST(OrientationOf, AnObliqueGridTakesTheNearestOrder) {
  Grid grid;
  grid.direction = turned_about_z(30.0);
  EXPECT_EQ(orientation_of(grid), "LPS");
  grid.direction = turned_about_z(60.0);
  EXPECT_EQ(orientation_of(grid), "PRS");
}

TEST(OrientationOf, EveryIndexHasAnAxisOfItsOwnAtFortyFiveDegrees) {
  Grid grid;
  grid.direction = turned_about_z(45.0);
  const std::string letters = orientation_of(grid);
  EXPECT_TRUE(letters == "LPS" || letters == "PRS") << letters;
}

TEST(Describe, SaysSizeSpacingAndOrientation) {
  Grid grid = brats_like();
  EXPECT_EQ(describe(grid), "240x240x155 voxels of 1x1x1 mm, LPS");
  grid.spacing_mm = {0.9375, 0.9375, 5.5};
  EXPECT_EQ(describe(grid), "240x240x155 voxels of 0.9375x0.9375x5.5 mm, LPS");
}

}  // namespace
}  // namespace mcvol
