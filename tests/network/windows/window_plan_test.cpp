#include "network/windows/window_plan.h"

#include <algorithm>
#include <numeric>
#include <random>
#include <set>
#include <span>

#include <gtest/gtest.h>

namespace mcvol {
namespace {

using Anchor = Bundle::Window::Anchor;
using Blend = Bundle::Window::Blend;

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
  const WindowPlan plan(mask, valid_window({5, 4, 3}, 2), {0, 1, 2});
  std::set<std::int64_t> seen;
  for (const Window& window : plan.windows) {
    const WindowVoxels voxels = plan.voxels_of(window);
    for (const std::int64_t voxel : voxels.voxels) EXPECT_TRUE(seen.insert(voxel).second);
    EXPECT_FALSE(voxels.voxels.empty());
  }
  EXPECT_EQ(static_cast<std::int64_t>(seen.size()), total);
  EXPECT_EQ(*seen.rbegin(), total - 1);
}

std::vector<Index3> measured_indices(const Image<std::uint8_t>& mask) {
  std::vector<Index3> measured;
  for (std::int64_t k = 0; k < mask.grid.size[2]; ++k)
    for (std::int64_t j = 0; j < mask.grid.size[1]; ++j)
      for (std::int64_t i = 0; i < mask.grid.size[0]; ++i)
        if (mask.at(i, j, k) != 0) measured.push_back({i, j, k});
  return measured;
}

/// The voxel at an offset in a window's tile.
Index3 index_of(std::int64_t tile_offset, const Window& window, const WindowPlan& plan,
                const std::array<int, 3>& axes) {
  Index3 index{};
  for (int d = 2; d >= 0; --d) {
    const auto axis = static_cast<std::size_t>(axes[static_cast<std::size_t>(d)]);
    index[axis] = window.output_begin[axis] + tile_offset % plan.output_size[axis];
    tile_offset /= plan.output_size[axis];
  }
  return index;
}

// Walks back from (window, tile offset) to the image and asks whether that voxel is the one the
// position names, for every order of axes.
TEST(WindowPlan, TileOffsetsNameTheVoxelForEveryOrderOfAxes) {
  const auto mask = random_mask({11, 13, 12}, 0.3, 2);
  const std::vector<Index3> measured = measured_indices(mask);
  for (const Blend blend : {Blend::kNone, Blend::kConstant}) {
    Bundle::Window window = valid_window({4, 5, 6}, 1);
    window.blend = blend;
    window.overlap = blend == Blend::kNone ? 0.0 : 0.5;
    std::array<int, 3> axes{0, 1, 2};
    do {
      const WindowPlan plan(mask, window, axes);
      for (const Window& placed : plan.windows) {
        const WindowVoxels voxels = plan.voxels_of(placed);
        for (std::size_t n = 0; n < voxels.voxels.size(); ++n) {
          EXPECT_EQ(index_of(voxels.tile_offsets[n], placed, plan, axes),
                    measured[static_cast<std::size_t>(voxels.voxels[n])]);
        }
        const std::set<std::int64_t> offsets(voxels.tile_offsets.begin(),
                                             voxels.tile_offsets.end());
        EXPECT_EQ(offsets.size(), voxels.tile_offsets.size());
        if (axes[2] == 0) {
          EXPECT_TRUE(std::is_sorted(voxels.tile_offsets.begin(), voxels.tile_offsets.end()));
        }
      }
    } while (std::next_permutation(axes.begin(), axes.end()));
  }
}

/// Lines of eight entries that a run of `positions` touches.
std::size_t lines_touched(std::span<const std::int64_t> positions) {
  std::set<std::int64_t> lines;
  for (const std::int64_t position : positions) lines.insert(position / 8);
  return lines.size();
}

// Of memory, image side as well as tile side: an order that walks along one of them alone touches
// a line of the other per voxel.
TEST(WindowPlan, VoxelsAreListedByWholeLinesOfEitherMemory) {
  constexpr std::size_t kRun = 1024;
  const auto mask = random_mask({64, 64, 64}, 1.0, 3);
  std::array<int, 3> axes{0, 1, 2};
  do {
    const WindowPlan plan(mask, valid_window({64, 64, 64}, 0), axes);
    ASSERT_EQ(plan.windows.size(), 1u);
    const WindowVoxels listed = plan.voxels_of(plan.windows.front());
    ASSERT_EQ(listed.voxels.size(), 64u * 64u * 64u);
    for (std::size_t begin = 0; begin < listed.voxels.size(); begin += kRun) {
      EXPECT_EQ(lines_touched(std::span(listed.voxels).subspan(begin, kRun)), kRun / 8);
      EXPECT_EQ(lines_touched(std::span(listed.tile_offsets).subspan(begin, kRun)), kRun / 8);
    }
  } while (std::next_permutation(axes.begin(), axes.end()));
}

TEST(WindowPlan, TheLatticeStartsAtTheCornerOfTheMask) {
  Grid grid;
  grid.size = {30, 30, 30};
  Image<std::uint8_t> mask(grid);
  mask.at(7, 8, 9) = mask.at(20, 8, 9) = 1;
  const WindowPlan plan(mask, valid_window({5, 5, 5}, 3), {0, 1, 2});
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
  window.anchor = Anchor::kImageCorner;
  const WindowPlan plan(mask, window, {0, 1, 2});
  ASSERT_EQ(plan.windows.size(), 1u);
  EXPECT_EQ(plan.windows[0].output_begin, (Index3{5, 5, 25}));
}

TEST(WindowPlan, AnEmptyMaskNeedsNoWindow) {
  Grid grid;
  grid.size = {4, 4, 4};
  const WindowPlan plan(Image<std::uint8_t>(grid), valid_window({2, 2, 2}, 0), {0, 1, 2});
  EXPECT_TRUE(plan.windows.empty());
}

Bundle::Window blended_window(std::array<std::int64_t, 3> output, double overlap, Anchor anchor) {
  Bundle::Window window = valid_window(output, 0);
  window.blend = Blend::kGaussian;
  window.overlap = overlap;
  window.anchor = anchor;
  return window;
}

/// Where the windows of a plan begin along an axis, each once, ascending.
std::vector<std::int64_t> starts_along(const WindowPlan& plan, std::size_t axis) {
  std::set<std::int64_t> starts;
  for (const Window& window : plan.windows) starts.insert(window.output_begin[axis]);
  return {starts.begin(), starts.end()};
}

/// Where a framework's windows along a line of `size` voxels begin.
struct ExpectedStarts {
  std::int64_t size;
  std::int64_t window;
  double overlap;
  std::vector<std::int64_t> starts;
};

// MONAI 1.6.1:
//   step = _get_scan_interval((size,), (window,), 1, (overlap,))
//   [s[0].start for s in dense_patch_slices((size,), (window,), step)]
// 20 * (1 - 0.9) is just below 2 in floating point, 45 * (1 - 0.3) just below 31.5.
const ExpectedStarts kMonaiStarts[] = {
    {155, 96, 0.25, {0, 59}},       {155, 96, 0.5, {0, 48, 59}},  {240, 96, 0.5, {0, 48, 96, 144}},
    {240, 96, 0.0, {0, 96, 144}},   {192, 96, 0.0, {0, 96}},      {128, 128, 0.5, {0}},
    {129, 128, 0.5, {0, 1}},        {100, 45, 0.3, {0, 31, 55}},  {100, 90, 0.1, {0, 10}},
    {57, 29, 0.6, {0, 11, 22, 28}}, {7, 3, 0.7, {0, 1, 2, 3, 4}}, {24, 20, 0.9, {0, 1, 2, 3, 4}}};

// nnunetv2 2.8.1: compute_steps_for_sliding_window((size,), (window,), step), with the steps 0.5,
// 0.7, 0.25, 0.2, 0.3 and 0.45 of these overlaps.
const ExpectedStarts kNnunetStarts[] = {{155, 96, 0.5, {0, 30, 59}},
                                        {110, 64, 0.5, {0, 23, 46}},
                                        {240, 96, 0.5, {0, 48, 96, 144}},
                                        {128, 128, 0.5, {0}},
                                        {129, 128, 0.5, {0, 1}},
                                        {101, 45, 0.3, {0, 28, 56}},
                                        {72, 48, 0.5, {0, 24}},
                                        {73, 48, 0.5, {0, 12, 25}},
                                        {57, 29, 0.75, {0, 7, 14, 21, 28}},
                                        {7, 3, 0.5, {0, 1, 3, 4}},
                                        {89, 40, 0.5, {0, 16, 33, 49}},
                                        {64, 32, 0.8, {0, 6, 13, 19, 26, 32}},
                                        {120, 48, 0.7, {0, 12, 24, 36, 48, 60, 72}},
                                        {104, 32, 0.55, {0, 14, 29, 43, 58, 72}}};

void expect_starts(const ExpectedStarts& of, Bundle::Window::Layout layout) {
  for (std::size_t axis = 0; axis < 3; ++axis) {
    Grid grid;
    grid.size = {2, 2, 2};
    grid.size[axis] = of.size;
    std::array<std::int64_t, 3> output = {2, 2, 2};
    output[axis] = of.window;
    Bundle::Window window = blended_window(output, of.overlap, Anchor::kImageCorner);
    window.layout = layout;
    const WindowPlan plan(Image<std::uint8_t>(grid, 1), window, {0, 1, 2});
    EXPECT_EQ(starts_along(plan, axis), of.starts) << of.size << ", " << of.window;
    EXPECT_EQ(plan.windows.size(), of.starts.size());
  }
}

TEST(WindowPlan, BlendedWindowsBeginWhereMonaisDo) {
  for (const ExpectedStarts& of : kMonaiStarts) expect_starts(of, Bundle::Window::Layout::kStep);
}

TEST(WindowPlan, WindowsSpreadEvenlyBeginWhereNnunetsDo) {
  for (const ExpectedStarts& of : kNnunetStarts) expect_starts(of, Bundle::Window::Layout::kEven);
}

// Halves are rounded within the box, not on the grid.
TEST(WindowPlan, WindowsSpreadEvenlyBeginAtTheCornerOfWhatIsMeasured) {
  Grid grid;
  grid.size = {90, 2, 2};
  Image<std::uint8_t> measured(grid);
  for (std::int64_t z = 0; z < 2; ++z) {
    for (std::int64_t y = 0; y < 2; ++y) {
      for (std::int64_t x = 7; x < 80; ++x) measured.at(x, y, z) = 1;
    }
  }
  Bundle::Window window = blended_window({48, 2, 2}, 0.5, Anchor::kMaskCorner);
  window.layout = Bundle::Window::Layout::kEven;
  const WindowPlan plan(measured, window, {0, 1, 2});
  EXPECT_EQ(starts_along(plan, 0), (std::vector<std::int64_t>{7, 19, 32}));
}

// pad_nd_image of nnU-Net's: half of what is missing, rounded down, comes before.
TEST(WindowPlan, ABoxSmallerThanAWindowIsInItsMiddle) {
  Grid grid;
  grid.size = {5, 2, 2};
  for (const auto layout : {Bundle::Window::Layout::kStep, Bundle::Window::Layout::kEven}) {
    Bundle::Window window = blended_window({8, 2, 2}, 0.5, Anchor::kImageCorner);
    window.layout = layout;
    const WindowPlan plan(Image<std::uint8_t>(grid, 1), window, {0, 1, 2});
    EXPECT_EQ(starts_along(plan, 0), std::vector<std::int64_t>{-1});
  }
}

TEST(WindowPlan, TheBoxThatBlendedWindowsCoverIsTheMasksOrTheImage) {
  Grid grid;
  grid.size = {30, 40, 20};
  Image<std::uint8_t> mask(grid);
  for (std::int64_t j = 11; j < 28; ++j) mask.at(3, j, 6) = mask.at(22, j, 15) = 1;
  // Of the mask: 3 to 23, 11 to 28 and 6 to 16, with steps of 4.
  const WindowPlan of_mask(mask, blended_window({8, 8, 8}, 0.5, Anchor::kMaskCorner), {2, 0, 1});
  EXPECT_EQ(starts_along(of_mask, 0), (std::vector<std::int64_t>{3, 15}));
  EXPECT_EQ(starts_along(of_mask, 1), (std::vector<std::int64_t>{11, 15, 19, 20}));
  EXPECT_EQ(starts_along(of_mask, 2), (std::vector<std::int64_t>{6, 8}));
  // Of the image 0, 4, 8 …, 22 and 32 the last ones of 0 and 1: those that hold x = 3 and z = 6,
  // or x = 22 and z = 15.
  const WindowPlan of_image(mask, blended_window({8, 8, 8}, 0.5, Anchor::kImageCorner), {2, 0, 1});
  EXPECT_EQ(starts_along(of_image, 0), (std::vector<std::int64_t>{0, 16, 20, 22}));
  EXPECT_EQ(starts_along(of_image, 1), (std::vector<std::int64_t>{4, 8, 12, 16, 20, 24}));
  EXPECT_EQ(starts_along(of_image, 2), (std::vector<std::int64_t>{0, 4, 8, 12}));
  EXPECT_EQ(of_image.windows.size(), 6u * (1 * 2 + 3 * 2));
}

// MONAI pads half of what is missing, rounded down, before the image.
TEST(WindowPlan, AWindowLargerThanTheBoxLiesAroundIt) {
  Grid grid;
  grid.size = {9, 6, 5};
  Image<std::uint8_t> mask(grid);
  mask.at(4, 2, 1) = mask.at(6, 3, 1) = 1;
  const WindowPlan of_image(mask, blended_window({10, 9, 5}, 0.5, Anchor::kImageCorner), {0, 1, 2});
  ASSERT_EQ(of_image.windows.size(), 1u);
  EXPECT_EQ(of_image.windows[0].output_begin, (Index3{0, -1, 0}));
  const WindowPlan of_mask(mask, blended_window({10, 9, 5}, 0.5, Anchor::kMaskCorner), {0, 1, 2});
  ASSERT_EQ(of_mask.windows.size(), 1u);
  EXPECT_EQ(of_mask.windows[0].output_begin, (Index3{1, -1, -1}));
  const WindowVoxels voxels = of_mask.voxels_of(of_mask.windows[0]);
  EXPECT_EQ(voxels.voxels, (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(voxels.tile_offsets,
            (std::vector<std::int64_t>{(3 * 9 + 3) * 5 + 2, (5 * 9 + 4) * 5 + 2}));
}

TEST(WindowPlan, OverlapIsThatOfTheOutputsOfValidConvolutions) {
  Grid grid;
  grid.size = {12, 6, 6};
  Bundle::Window window = blended_window({6, 6, 6}, 0.5, Anchor::kImageCorner);
  window.input = {16, 16, 16};
  const WindowPlan plan(Image<std::uint8_t>(grid, 1), window, {0, 1, 2});
  EXPECT_EQ(starts_along(plan, 0), (std::vector<std::int64_t>{0, 3, 6}));
  EXPECT_EQ(plan.margin, (Index3{5, 5, 5}));
  EXPECT_EQ(plan.input_size, (Index3{16, 16, 16}));
}

// Counted on the image: a voxel is in every window whose output reaches over it.
TEST(WindowPlan, EveryMeasuredVoxelIsListedByEachWindowOverIt) {
  const auto mask = random_mask({25, 14, 19}, 0.01, 3);
  const std::vector<Index3> measured = measured_indices(mask);
  for (const Anchor anchor : {Anchor::kMaskCorner, Anchor::kImageCorner}) {
    const WindowPlan plan(mask, blended_window({6, 7, 20}, 0.6, anchor), {1, 2, 0});
    EXPECT_EQ(plan.measured_voxels(), static_cast<std::int64_t>(measured.size()));
    std::vector<int> lists(measured.size());
    for (const Window& window : plan.windows) {
      const WindowVoxels voxels = plan.voxels_of(window);
      EXPECT_FALSE(voxels.voxels.empty());
      for (const std::int64_t voxel : voxels.voxels) ++lists[static_cast<std::size_t>(voxel)];
    }
    for (std::size_t n = 0; n < measured.size(); ++n) {
      const auto holds = [&](const Window& window) {
        bool inside = true;
        for (std::size_t axis = 0; axis < 3; ++axis) {
          const std::int64_t within = measured[n][axis] - window.output_begin[axis];
          inside = inside && within >= 0 && within < plan.output_size[axis];
        }
        return inside;
      };
      EXPECT_GE(lists[n], 1);
      EXPECT_EQ(lists[n], std::count_if(plan.windows.begin(), plan.windows.end(), holds));
    }
  }
}

}  // namespace
}  // namespace mcvol
