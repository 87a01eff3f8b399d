#include "mcvol/image/components.h"

#include <algorithm>
#include <functional>

namespace mcvol {
namespace {

/// Takes components out of a mask, one by one.
class ComponentTaker {
 public:
  explicit ComponentTaker(Image<std::uint8_t> mask) : left_(std::move(mask)) {}

  std::vector<std::int64_t> all() {
    std::vector<std::int64_t> sizes;
    const Index3& size = left_.grid.size;
    for (std::int64_t k = 0; k < size[2]; ++k) {
      for (std::int64_t j = 0; j < size[1]; ++j) {
        for (std::int64_t i = 0; i < size[0]; ++i) {
          if (left_.at(i, j, k) != 0) sizes.push_back(taken_from({i, j, k}));
        }
      }
    }
    return sizes;
  }

 private:
  void take(const Index3& voxel) {
    left_.at(voxel[0], voxel[1], voxel[2]) = 0;
    waiting_.push_back(voxel);
  }

  /// @returns its size.
  std::int64_t taken_from(const Index3& seed) {
    take(seed);
    std::int64_t voxels = 0;
    for (; !waiting_.empty(); ++voxels) {
      const Index3 voxel = waiting_.back();
      waiting_.pop_back();
      Index3 from, to;
      for (std::size_t axis = 0; axis < 3; ++axis) {
        from[axis] = std::max<std::int64_t>(voxel[axis] - 1, 0);
        to[axis] = std::min<std::int64_t>(voxel[axis] + 1, left_.grid.size[axis] - 1);
      }
      for (std::int64_t k = from[2]; k <= to[2]; ++k) {
        for (std::int64_t j = from[1]; j <= to[1]; ++j) {
          for (std::int64_t i = from[0]; i <= to[0]; ++i) {
            if (left_.at(i, j, k) != 0) take({i, j, k});
          }
        }
      }
    }
    return voxels;
  }

  Image<std::uint8_t> left_;
  std::vector<Index3> waiting_;
};

}  // namespace

std::vector<std::int64_t> component_sizes(Image<std::uint8_t> mask) {
  std::vector<std::int64_t> sizes = ComponentTaker(std::move(mask)).all();
  std::sort(sizes.begin(), sizes.end(), std::greater<>());
  return sizes;
}

}  // namespace mcvol
