#include "brain_sample.h"

#include <algorithm>
#include <numeric>

namespace mcvol {
namespace {

/// Every so manieth voxel. One that divides the rows or slices of a brain as wide as the grid would
/// take its voxels from a few columns only.
std::int64_t stride_of(std::int64_t voxels, std::int64_t most, const Index3& size) {
  std::int64_t stride = std::max<std::int64_t>((voxels + most - 1) / most, 1);
  while (std::gcd(stride, size[0] * size[1]) != 1) ++stride;
  return stride;
}

}  // namespace

BrainSample::BrainSample(const Image<std::uint8_t>& brain, std::int64_t most) : brain_(brain) {
  const Index3& size = brain.grid.size;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    along_[axis].resize(static_cast<std::size_t>(size[axis]));
  }
  for_each_voxel_of(brain, [&](const Index3& voxel, std::size_t) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      ++along_[axis][static_cast<std::size_t>(voxel[axis])];
    }
    ++brain_voxels_;
  });
  const std::int64_t stride = stride_of(brain_voxels_, most, size);
  voxels_.reserve(static_cast<std::size_t>(brain_voxels_ / stride + 1));
  std::int64_t left = 0;
  for_each_voxel_of(brain, [&](const Index3& voxel, std::size_t) {
    if (left == 0) {
      voxels_.push_back(voxel);
      left = stride;
    }
    --left;
  });
}

}  // namespace mcvol
