#include "mcvol/image/slice_plane.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "pipeline/slices/measured_slices.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::Logit;
using testing::slices_along;
using testing::slices_of;

PreparedScan scan_of_size(const Index3& size) {
  Grid grid;
  grid.size = size;
  return testing::scan_on(grid);
}

/// Logit 3 in boxes of `side` voxels from a corner on, else -9.
Logit boxes(const std::vector<std::pair<Index3, std::int64_t>>& places) {
  return [places](std::int64_t i, std::int64_t j, std::int64_t k, int) {
    const Index3 voxel{i, j, k};
    for (const auto& [corner, side] : places) {
      bool inside = true;
      for (std::size_t axis = 0; axis < 3; ++axis) {
        inside = inside && voxel[axis] >= corner[axis] && voxel[axis] < corner[axis] + side;
      }
      if (inside) return 3.0f;
    }
    return -9.0f;
  };
}

std::vector<std::int64_t> indices_of(const Thumbnail& thumbnail) {
  std::vector<std::int64_t> indices;
  for (const ThumbnailSlice& slice : slices_along(Plane::kAxial, thumbnail)) {
    indices.push_back(slice.index.value_or(-1));
  }
  return indices;
}

TEST(ShownSlices, AreOneOfEachSeparatePlaceTheLargestFirst) {
  const PreparedScan scan = scan_of_size({20, 20, 30});
  // In a slice the flat place has more than the cube, which is larger as a whole.
  Logit cube = boxes({{{2, 2, 20}, 6}});
  const auto both = [&](std::int64_t i, std::int64_t j, std::int64_t k, int region) {
    return k == 4 && i < 10 && j < 10 ? 3.0f : cube(i, j, k, region);
  };
  EXPECT_EQ(indices_of(slices_of(scan, both)), (std::vector<std::int64_t>{20, 4}));
}

TEST(ShownSlices, LeaveOutTinyPlacesAndThoseSeenAlready) {
  const PreparedScan scan = scan_of_size({20, 20, 30});
  EXPECT_EQ(indices_of(slices_of(scan, boxes({{{2, 2, 20}, 6}, {{2, 2, 3}, 2}}))),
            std::vector<std::int64_t>{20});  // 8 of 216 voxels
  EXPECT_EQ(indices_of(slices_of(scan, boxes({{{2, 2, 20}, 6}, {{12, 12, 20}, 5}}))),
            std::vector<std::int64_t>{20});
}

TEST(ShownSlices, AreThreeAtMost) {
  const PreparedScan scan = scan_of_size({20, 20, 30});
  const auto made =
      slices_of(scan, boxes({{{2, 2, 1}, 3}, {{2, 2, 8}, 5}, {{2, 2, 16}, 4}, {{2, 2, 24}, 6}}));
  EXPECT_EQ(indices_of(made), (std::vector<std::int64_t>{24, 8, 16}));
}

TEST(ShownSlices, OfTheOtherPlanesAreThoseWithMostOfTheLargestPlace) {
  const PreparedScan scan = scan_of_size({20, 20, 30});
  // A cube with a rod to the left and one to posterior; and a plate that has more in a coronal
  // slice, but is smaller.
  const Logit cube = boxes({{{4, 5, 20}, 6}});
  const auto logit = [&](std::int64_t i, std::int64_t j, std::int64_t k, int region) {
    const bool rods = (i >= 10 && j == 7 && k == 21) || (j >= 11 && i == 8 && k == 22);
    const bool plate = j == 18 && i < 12 && k >= 1 && k < 13;
    return rods || plate ? 3.0f : cube(i, j, k, region);
  };
  const Thumbnail made = slices_of(scan, logit);
  ASSERT_EQ(made.slices.size(), 4u);
  EXPECT_EQ(made.slices[0].plane, Plane::kAxial);
  EXPECT_EQ(made.slices[0].index, 21);  // 36 voxels and a rod of 10, against 9 at 22
  EXPECT_EQ(made.slices[1].plane, Plane::kCoronal);
  EXPECT_EQ(made.slices[1].index, 7);
  EXPECT_EQ(made.slices[2].plane, Plane::kSagittal);
  EXPECT_EQ(made.slices[2].index, 8);
  EXPECT_EQ(made.slices[3].plane, Plane::kAxial);
  EXPECT_EQ(made.slices[3].index, 1);
}

TEST(ShownSlices, WithoutAnyProbabilityAreTheMiddleOfTheBrainInEveryPlane) {
  PreparedScan scan = scan_of_size({5, 6, 8});
  scan.brain = Image<std::uint8_t>(scan.grid);
  for (std::int64_t n = 0; n < 3 * 4 * 4; ++n) {
    scan.brain.at(1 + n % 3, 2 + n / 3 % 4, 2 + n / 12) = 1;
  }
  scan.measured = scan.brain;
  const Thumbnail made = slices_of(scan, [](auto...) { return -HUGE_VALF; });
  ASSERT_EQ(made.slices.size(), 3u);
  EXPECT_EQ(made.slices[0].index, 3);  // k from 2 to 5
  EXPECT_EQ(made.slices[1].index, 3);  // j from 2 to 5
  EXPECT_EQ(made.slices[2].index, 2);  // i from 1 to 3
}

/// An ellipsoid about a point on a grid of 1 x 2 x 3 mm, its voxels along I, R and A.
struct Ellipsoid {
  Grid grid;
  Eigen::Vector3d centre{4, -7, 11};
  Eigen::Vector3d semiaxes_mm{12, 18, 24};  ///< to the left, posterior and superior

  Ellipsoid() {
    grid.size = {30, 60, 40};
    grid.spacing_mm = {3, 1, 2};
    grid.direction << 0, -1, 0, 0, 0, -1, -1, 0, 0;
    const Eigen::Vector3d middle(14.5, 29.5, 19.5);
    grid.origin_mm = centre - (grid.physical_from_index(middle) - grid.origin_mm);
    // Off the middle of a voxel, as places are.
    centre += Eigen::Vector3d(0.3, -0.4, 0.5);
  }

  /// Of a level set at every size: 0 on the surface of the ellipsoid.
  float logit_at(std::int64_t i, std::int64_t j, std::int64_t k) const {
    const Eigen::Vector3d from =
        grid.physical_from_index(
            {static_cast<double>(i), static_cast<double>(j), static_cast<double>(k)}) -
        centre;
    const double radius = from.cwiseQuotient(semiaxes_mm).norm();
    return static_cast<float>(std::clamp(20 * (1 - radius), -15.0, 15.0));
  }
};

TEST(ShownSlices, AreTheCrossSectionsOfAnEllipsoidInEveryPlane) {
  const Ellipsoid ellipsoid;
  const PreparedScan scan = testing::scan_on(ellipsoid.grid);
  ASSERT_EQ(orientation_of(scan.grid), "IRA");
  const Thumbnail made =
      slices_of(scan, [&](auto i, auto j, auto k, int) { return ellipsoid.logit_at(i, j, k); });
  ASSERT_EQ(made.slices.size(), 3u);
  const Eigen::Vector3d& axes = ellipsoid.semiaxes_mm;
  const std::array<std::pair<double, double>, 3> half_sides{
      std::pair{axes[0], axes[1]}, std::pair{axes[0], axes[2]}, std::pair{axes[1], axes[2]}};
  for (std::size_t n = 0; n < 3; ++n) {
    const ThumbnailSlice& slice = made.slices[n];
    const SlicePlane plane(scan.grid, slice.plane);
    // Through the centre, to half a voxel.
    const Eigen::Vector3d centre = scan.grid.index_from_physical(ellipsoid.centre);
    EXPECT_NEAR(static_cast<double>(slice.index.value_or(-1)),
                centre[static_cast<Eigen::Index>(plane.through)], 0.51);
    double pixels = 0, most_left = 1e9, most_right = -1, most_top = 1e9, most_bottom = -1;
    for (std::int64_t pixel = 0; pixel < slice.width * slice.height; ++pixel) {
      if (slice.regions[0][static_cast<std::size_t>(pixel)] < 128) continue;
      ++pixels;
      const auto x = static_cast<double>(pixel % slice.width);
      const auto y = static_cast<double>(pixel / slice.width);
      most_left = std::min(most_left, x);
      most_right = std::max(most_right, x);
      most_top = std::min(most_top, y);
      most_bottom = std::max(most_bottom, y);
    }
    const auto [across, down] = half_sides[n];
    // Counting pixels errs by a share of those on the edge.
    EXPECT_NEAR(pixels * plane.pixel_width_mm * plane.pixel_height_mm, M_PI * across * down,
                0.03 * M_PI * across * down)
        << n;
    EXPECT_NEAR((most_right - most_left + 1) * plane.pixel_width_mm, 2 * across,
                1.01 * plane.pixel_width_mm);
    EXPECT_NEAR((most_bottom - most_top + 1) * plane.pixel_height_mm, 2 * down,
                1.01 * plane.pixel_height_mm);
  }
}

}  // namespace
}  // namespace mcvol
