#include "mcvol/image/components.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

namespace mcvol {
namespace {

using Sizes = std::vector<std::int64_t>;

Image<std::uint8_t> empty_mask(const Index3& size) {
  Grid grid;
  grid.size = size;
  return Image<std::uint8_t>(grid);
}

TEST(ComponentSizes, OfAnEmptyMaskThereAreNone) {
  EXPECT_EQ(component_sizes(empty_mask({3, 4, 5})), Sizes{});
}

TEST(ComponentSizes, VoxelsThatShareACornerHangTogetherAndThoseWithOneBetweenDoNot) {
  Image<std::uint8_t> mask = empty_mask({9, 4, 4});
  mask.at(0, 0, 0) = mask.at(1, 1, 1) = mask.at(2, 0, 2) = 1;
  mask.at(4, 0, 0) = mask.at(4, 1, 0) = 1;
  mask.at(8, 3, 3) = 7;
  EXPECT_EQ(component_sizes(mask), (Sizes{3, 2, 1}));
}

TEST(ComponentSizes, AnImageThatIsFullIsOne) {
  Image<std::uint8_t> mask = empty_mask({40, 30, 20});
  std::fill(mask.values.begin(), mask.values.end(), std::uint8_t{1});
  EXPECT_EQ(component_sizes(mask), Sizes{24000});
}

/// Another way to the same: every pair of voxels is looked at, and labels joined until none change.
Sizes sizes_by_pairs(const Image<std::uint8_t>& mask) {
  std::vector<Index3> voxels;
  for (std::int64_t k = 0; k < mask.grid.size[2]; ++k) {
    for (std::int64_t j = 0; j < mask.grid.size[1]; ++j) {
      for (std::int64_t i = 0; i < mask.grid.size[0]; ++i) {
        if (mask.at(i, j, k) != 0) voxels.push_back({i, j, k});
      }
    }
  }
  std::vector<std::size_t> labels(voxels.size());
  std::iota(labels.begin(), labels.end(), 0u);
  for (std::size_t a = 0; a < voxels.size(); ++a) {
    for (std::size_t b = 0; b < a; ++b) {
      std::int64_t apart = 0;
      for (std::size_t axis = 0; axis < 3; ++axis) {
        apart = std::max<std::int64_t>(apart, std::abs(voxels[a][axis] - voxels[b][axis]));
      }
      const std::size_t one = labels[a], other = labels[b];
      if (apart <= 1) std::replace(labels.begin(), labels.end(), other, one);
    }
  }
  Sizes sizes;
  for (std::size_t label = 0; label < voxels.size(); ++label) {
    const auto size = std::count(labels.begin(), labels.end(), label);
    if (size > 0) sizes.push_back(size);
  }
  std::sort(sizes.begin(), sizes.end(), std::greater<>());
  return sizes;
}

TEST(ComponentSizes, AreThoseOfComparingAllPairsOfVoxels) {
  std::mt19937 random(20261130);
  for (const double share : {0.01, 0.05, 0.1, 0.2, 0.5}) {
    for (int round = 0; round < 5; ++round) {
      Image<std::uint8_t> mask = empty_mask({11, 7, 8});
      std::bernoulli_distribution is_set(share);
      for (std::uint8_t& voxel : mask.values) voxel = is_set(random) ? 1 : 0;
      EXPECT_EQ(component_sizes(mask), sizes_by_pairs(mask)) << share << " round " << round;
    }
  }
}

}  // namespace
}  // namespace mcvol
