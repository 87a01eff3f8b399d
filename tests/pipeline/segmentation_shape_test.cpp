#include "pipeline/segmentation_shape.h"

#include "mcvol/io/images/resample.h"

#include <functional>

#include <gtest/gtest.h>

namespace mcvol {
namespace {

using IsInside = std::function<bool(std::int64_t i, std::int64_t j, std::int64_t k)>;

/// All voxels of the grid are measured.
PreparedScan whole_scan(const Grid& grid, const Grid& own) {
  PreparedScan scan;
  scan.grid = grid;
  scan.own_grid = own;
  scan.measured = Image<std::uint8_t>(grid, 1);
  return scan;
}

Grid cube(std::int64_t side) {
  Grid grid;
  grid.size = {side, side, side};
  return grid;
}

/// Of a region that one pass sees with p = 0.6 where `inside` says so, else with 0.4.
SegmentationShape shape_of(const PreparedScan& scan, const IsInside& inside) {
  std::vector<std::int64_t> voxels;
  std::vector<float> logits;
  for (std::int64_t k = 0; k < scan.grid.size[2]; ++k) {
    for (std::int64_t j = 0; j < scan.grid.size[1]; ++j) {
      for (std::int64_t i = 0; i < scan.grid.size[0]; ++i) {
        if (scan.measured.at(i, j, k) == 0) continue;
        voxels.push_back(std::ssize(voxels));
        logits.push_back(inside(i, j, k) ? 0.405F : -0.405F);
      }
    }
  }
  HistogramSink sink({"whole"}, std::ssize(voxels), 1, 0);
  sink.accept({voxels, 0, 1, 1, logits});
  const std::int64_t segmented = sink.finish().at(0).mean.above_half();
  const SegmentationShape shape = segmentation_shape(scan, sink, 0);
  EXPECT_LE(shape.largest_focus_voxels, segmented);
  return shape;
}

TEST(SegmentationShapeOf, CountsSeparateFociAndTheLargest) {
  const PreparedScan scan = whole_scan(cube(9), cube(9));
  const SegmentationShape two = shape_of(scan, [](auto i, auto j, auto k) {
    return (i < 3 && j == 4 && k == 4 && i > 0) || (i > 3 && i < 8 && j == 4 && k == 5);
  });
  EXPECT_EQ(two.foci, 2);
  EXPECT_EQ(two.largest_focus_voxels, 4);
  EXPECT_FALSE(two.touches_border);
  const SegmentationShape none = shape_of(scan, [](auto...) { return false; });
  EXPECT_EQ(none.foci, 0);
  EXPECT_EQ(none.largest_focus_voxels, 0);
  EXPECT_FALSE(none.touches_border);
}

TEST(SegmentationShapeOf, WhatIsNotMeasuredPartsFoci) {
  PreparedScan scan = whole_scan(cube(9), cube(9));
  for (std::int64_t n = 0; n < 81; ++n) scan.measured.at(4, n % 9, n / 9) = 0;
  EXPECT_EQ(shape_of(scan, [](auto, auto j, auto k) { return j == 4 && k == 4; }).foci, 2);
}

TEST(SegmentationShapeOf, TouchesTheBorderOnEachOfItsSixSides) {
  const PreparedScan scan = whole_scan(cube(7), cube(7));
  for (std::size_t axis = 0; axis < 3; ++axis) {
    for (const std::int64_t side : {0, 1, 5, 6}) {
      Index3 at{3, 3, 3};
      at[axis] = side;
      const SegmentationShape shape = shape_of(scan, [&](auto i, auto j, auto k) {
        return Index3{i, j, k} == at;
      });
      EXPECT_EQ(shape.touches_border, side == 0 || side == 6) << axis << " " << side;
    }
  }
}

// The network's grid covers the scan's, 2 mm voxels 15 of 1 mm: its last ones reach 1 mm further
// out, and are the border all the same. Turned, the scan's axes are others.
TEST(SegmentationShapeOf, TheBorderIsThatOfTheScanWhateverTheNetworksGrid) {
  Grid own = cube(15);
  own.origin_mm = {10, 20, 30};
  own.direction << 0, 0, 1, -1, 0, 0, 0, 1, 0;
  Grid turned = own;
  turned.direction.col(0) = -own.direction.col(2);
  turned.direction.col(1) = own.direction.col(0);
  turned.direction.col(2) = -own.direction.col(1);
  turned.origin_mm = own.physical_from_index({0, 14, 14});
  const Grid grid = resampled_grid(turned, {2, 2, 2});
  ASSERT_EQ(grid.size, (Index3{8, 8, 8}));
  const PreparedScan scan = whole_scan(grid, own);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    for (std::int64_t side = 0; side < 8; ++side) {
      Index3 at{3, 3, 3};
      at[axis] = side;
      const SegmentationShape shape = shape_of(scan, [&](auto i, auto j, auto k) {
        return Index3{i, j, k} == at;
      });
      EXPECT_EQ(shape.touches_border, side == 0 || side == 7) << axis << " " << side;
    }
  }
}

}  // namespace
}  // namespace mcvol
