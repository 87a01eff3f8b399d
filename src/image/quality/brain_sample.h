#pragma once

#include "mcvol/image/image.h"

#include <array>
#include <cstddef>
#include <vector>

namespace mcvol {

/// Voxels of the brain, evenly spread over it, and how the whole of it lies along the axes.
class BrainSample {
 public:
  /// @param most voxels of the sample.
  BrainSample(const Image<std::uint8_t>& brain, std::int64_t most);

  /// By ascending offset.
  const std::vector<Index3>& voxels() const { return voxels_; }
  std::int64_t brain_voxels() const { return brain_voxels_; }
  /// Of the whole brain, by index along an axis.
  const std::vector<std::int64_t>& voxels_along(std::size_t axis) const { return along_[axis]; }
  const Grid& grid() const { return brain_.grid; }
  std::size_t offset(const Index3& voxel) const {
    return static_cast<std::size_t>(brain_.grid.offset(voxel[0], voxel[1], voxel[2]));
  }

  bool contains(const Index3& voxel) const {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      if (voxel[axis] < 0 || voxel[axis] >= brain_.grid.size[axis]) return false;
    }
    return brain_.values[offset(voxel)] != 0;
  }

 private:
  const Image<std::uint8_t>& brain_;
  std::int64_t brain_voxels_ = 0;
  std::array<std::vector<std::int64_t>, 3> along_;
  std::vector<Index3> voxels_;
};

}  // namespace mcvol
