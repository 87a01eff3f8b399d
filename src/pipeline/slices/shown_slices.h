#pragma once

#include "mcvol/image/prepared_scan.h"
#include "mcvol/image/slice_plane.h"
#include "mcvol/pipeline/histogram_sink.h"

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace mcvol {

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
