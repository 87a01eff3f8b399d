#include "segmentation_shape.h"

#include "mcvol/image/components.h"

#include <algorithm>

namespace mcvol {

namespace {

/// The voxels of `grid` whose neighbours along all three axes lie in the image on `own`, of which
/// `grid` may be a resampled or reoriented form: resampled, it may reach a little further out.
Box box_within(const Grid& grid, const Grid& own) {
  constexpr double kRounding = 1e-6;  // of a voxel
  const Eigen::Vector3d middle(0.5 * static_cast<double>(grid.size[0] - 1),
                               0.5 * static_cast<double>(grid.size[1] - 1),
                               0.5 * static_cast<double>(grid.size[2] - 1));
  const Eigen::Vector3d farthest(static_cast<double>(own.size[0]) - 0.5 + kRounding,
                                 static_cast<double>(own.size[1]) - 0.5 + kRounding,
                                 static_cast<double>(own.size[2]) - 0.5 + kRounding);
  Box box{grid.size, {0, 0, 0}};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const auto lies_in_scan = [&](std::int64_t index) {
      Eigen::Vector3d at = middle;
      at[static_cast<int>(axis)] = static_cast<double>(index);
      const Eigen::Array3d there = own.index_from_physical(grid.physical_from_index(at)).array();
      return (there >= -0.5 - kRounding).all() && (there <= farthest.array()).all();
    };
    for (std::int64_t index = 0; index < grid.size[axis]; ++index) {
      if (!lies_in_scan(index - 1) || !lies_in_scan(index + 1)) continue;
      box.begin[axis] = std::min(box.begin[axis], index);
      box.end[axis] = index + 1;
    }
  }
  return box;
}

bool holds(const Box& box, const Index3& index) {
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (index[axis] < box.begin[axis] || index[axis] >= box.end[axis]) return false;
  }
  return true;
}

}  // namespace

SegmentationShape segmentation_shape(const PreparedScan& scan, const HistogramSink& sink,
                                     std::size_t region) {
  const Box inner = box_within(scan.grid, scan.own_grid);
  SegmentationShape shape;
  Image<std::uint8_t> segmentation(scan.grid);
  for_each_voxel_of(scan.measured, [&](const Index3& index, std::size_t position) {
    if (!(sink.mean_probability(region, position) > 0.5)) return;
    segmentation.at(index[0], index[1], index[2]) = 1;
    shape.touches_border = shape.touches_border || !holds(inner, index);
  });
  const std::vector<std::int64_t> sizes = component_sizes(std::move(segmentation));
  shape.foci = static_cast<std::int64_t>(sizes.size());
  shape.largest_focus_voxels = sizes.empty() ? 0 : sizes.front();
  return shape;
}

}  // namespace mcvol
