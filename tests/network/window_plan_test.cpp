#include "mcvol/network/window_plan.h"

#include <numeric>
#include <random>
#include <set>

#include <gtest/gtest.h>

namespace mcvol {
namespace {

Image<std::uint8_t> random_mask(const Index3& size, double share, unsigned seed) {
  Grid grid;
  grid.size = size;
  Image<std::uint8_t> mask(grid);
  std::mt19937 generator(seed);
  std::bernoulli_distribution inside(share);
  for (auto& value : mask.values) value = inside(generator) ? 1 : 0;
  return mask;
}

Bundle::Window valid_window(std::array<std::int64_t, 3> output, std::int64_t margin) {
  Bundle::Window window;
  window.output = output;
  window.input = {output[0] + 2 * margin, output[1] + 2 * margin, output[2] + 2 * margin};
  return window;
}

TEST(WindowPlan, EveryMeasuredVoxelLiesInExactlyOneWindow) {
  const auto mask = random_mask({17, 23, 9}, 0.2, 1);
  const auto total = std::accumulate(mask.values.begin(), mask.values.end(), std::int64_t{0});
  const WindowPlan plan = plan_windows(mask, valid_window({5, 4, 3}, 2), {0, 1, 2});
  std::set<std::int64_t> seen;
  for (const Window& window : plan.windows) {
    seen.insert(window.voxels.begin(), window.voxels.end());
    EXPECT_FALSE(window.voxels.empty());
  }
  EXPECT_EQ(static_cast<std::int64_t>(seen.size()), total);
  EXPECT_EQ(*seen.rbegin(), total - 1);
}

// Walks back from (window, tile offset) to the image and asks whether that voxel is the one the
// position names, for every order of axes.
TEST(WindowPlan, TileOffsetsNameTheVoxelForEveryOrderOfAxes) {
  const auto mask = random_mask({11, 13, 12}, 0.3, 2);
  std::vector<Index3> measured;
  for (std::int64_t k = 0; k < 12; ++k)
    for (std::int64_t j = 0; j < 13; ++j)
      for (std::int64_t i = 0; i < 11; ++i)
        if (mask.at(i, j, k) != 0) measured.push_back({i, j, k});

  std::array<int, 3> axes{0, 1, 2};
  do {
    const WindowPlan plan = plan_windows(mask, valid_window({4, 5, 6}, 1), axes);
    for (const Window& window : plan.windows) {
      for (std::size_t n = 0; n < window.voxels.size(); ++n) {
        std::int64_t rest = window.tile_offsets[n];
        Index3 index{};
        for (int d = 2; d >= 0; --d) {
          const auto axis = static_cast<std::size_t>(axes[static_cast<std::size_t>(d)]);
          index[axis] = window.output_begin[axis] + rest % plan.output_size[axis];
          rest /= plan.output_size[axis];
        }
        EXPECT_EQ(index, measured[static_cast<std::size_t>(window.voxels[n])]);
      }
      EXPECT_TRUE(std::is_sorted(window.tile_offsets.begin(), window.tile_offsets.end()));
    }
  } while (std::next_permutation(axes.begin(), axes.end()));
}

TEST(WindowPlan, TheLatticeStartsAtTheCornerOfTheMask) {
  Grid grid;
  grid.size = {30, 30, 30};
  Image<std::uint8_t> mask(grid);
  mask.at(7, 8, 9) = mask.at(20, 8, 9) = 1;
  const WindowPlan plan = plan_windows(mask, valid_window({5, 5, 5}, 3), {0, 1, 2});
  ASSERT_EQ(plan.windows.size(), 2u);
  EXPECT_EQ(plan.windows[0].output_begin, (Index3{7, 8, 9}));
  EXPECT_EQ(plan.windows[1].output_begin, (Index3{17, 8, 9}));
  EXPECT_EQ(plan.margin, (Index3{3, 3, 3}));
}

TEST(WindowPlan, TheLatticeOfTheImageCornerIgnoresTheMask) {
  Grid grid;
  grid.size = {30, 30, 30};
  Image<std::uint8_t> mask(grid);
  mask.at(7, 8, 29) = 1;
  Bundle::Window window = valid_window({5, 5, 5}, 0);
  window.anchor = Bundle::Window::Anchor::kImageCorner;
  const WindowPlan plan = plan_windows(mask, window, {0, 1, 2});
  ASSERT_EQ(plan.windows.size(), 1u);
  EXPECT_EQ(plan.windows[0].output_begin, (Index3{5, 5, 25}));
}

TEST(WindowPlan, AnEmptyMaskNeedsNoWindow) {
  Grid grid;
  grid.size = {4, 4, 4};
  EXPECT_TRUE(plan_windows(Image<std::uint8_t>(grid), valid_window({2, 2, 2}, 0), {0, 1, 2})
                  .windows.empty());
}

}  // namespace
}  // namespace mcvol
