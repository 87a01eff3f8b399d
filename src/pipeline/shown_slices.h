#pragma once

#include "mcvol/image/prepared_scan.h"
#include "mcvol/image/slice_plane.h"
#include "mcvol/pipeline/histogram_sink.h"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace mcvol {

/// Calls visit(index, position) for each non-zero voxel, with its position in their list.
template <typename Visit>
void for_each_voxel_of(const Image<std::uint8_t>& mask, Visit visit) {
  const Index3& size = mask.grid.size;
  std::size_t position = 0, voxel = 0;
  for (std::int64_t k = 0; k < size[2]; ++k) {
    for (std::int64_t j = 0; j < size[1]; ++j) {
      for (std::int64_t i = 0; i < size[0]; ++i, ++voxel) {
        if (mask.values[voxel] != 0) visit(Index3{i, j, k}, position++);
      }
    }
  }
}

/// A slice by the index along its plane's SlicePlane::through.
struct ShownSlice {
  Plane plane = Plane::kAxial;
  std::int64_t index = 0;
};

/// Slices to show of a scan: of each of the largest separate places of the first region an axial
/// one, the largest first and Thumbnail::kMostAxialSlices at most; after the first of them a
/// coronal and a sagittal one of the same place.
///
/// A place is voxels of mean probability 1/4 and more that hang together by their faces. Its size
/// is the sum of their squared mean probability, so that what is likely outweighs a trace; its
/// slice along a plane is that with most of it. Passed over are places of less than a twentieth of
/// the largest's size, and those that an axial slice shown already has at least half as much of.
/// Where there is no place, the slice with the largest such sum over all voxels; where no
/// probability, the middle of the brain.
/// @param sink after its finish().
std::vector<ShownSlice> slices_to_show(const PreparedScan& scan, const HistogramSink& sink);

}  // namespace mcvol
