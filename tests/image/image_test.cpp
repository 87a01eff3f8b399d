#include "mcvol/image/image.h"

#include <gtest/gtest.h>

namespace mcvol {
namespace {

Image<std::uint8_t> empty_mask() {
  Grid grid;
  grid.size = {5, 6, 7};
  return Image<std::uint8_t>(grid);
}

TEST(BoundingBox, HoldsExactlyTheNonZeroVoxels) {
  Image<std::uint8_t> mask = empty_mask();
  mask.at(1, 4, 2) = 1;
  mask.at(3, 2, 5) = 1;
  const Box box = bounding_box(mask);
  EXPECT_EQ(box.begin, (Index3{1, 2, 2}));
  EXPECT_EQ(box.end, (Index3{4, 5, 6}));
  EXPECT_EQ(box.size(), (Index3{3, 3, 4}));
}

TEST(BoundingBox, IsEmptyWhereNothingIsMarked) {
  const Box box = bounding_box(empty_mask());
  EXPECT_TRUE(box.empty());
  EXPECT_EQ(box.begin, (Index3{0, 0, 0}));
  EXPECT_EQ(box.end, (Index3{0, 0, 0}));
}

TEST(TouchesBorder, OnlyWhereAVoxelLiesInTheOutermostLayer) {
  Image<std::uint8_t> mask = empty_mask();
  EXPECT_FALSE(touches_border(mask));
  mask.at(1, 1, 1) = 1;
  mask.at(3, 4, 5) = 1;
  EXPECT_FALSE(touches_border(mask));
  for (const Index3& border : {Index3{0, 3, 3}, Index3{4, 3, 3}, Index3{2, 0, 3}, Index3{2, 5, 3},
                               Index3{2, 3, 0}, Index3{2, 3, 6}}) {
    Image<std::uint8_t> touching = mask;
    touching.at(border[0], border[1], border[2]) = 1;
    EXPECT_TRUE(touches_border(touching)) << border[0] << ' ' << border[1] << ' ' << border[2];
  }
}

}  // namespace
}  // namespace mcvol
