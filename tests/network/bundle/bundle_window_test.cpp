#include <algorithm>
#include <cmath>
#include <vector>

#include "network/bundle/bundle_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using namespace testing;
using nlohmann::json;

TEST(Bundle, OverlapWithoutABlendIsRefusedWhicheverOfThemIsLeftOut) {
  const std::string expected =
      "window.blend: \"none\" cannot average windows that overlap (overlap 0.25); use \"constant\" "
      "or "
      "\"gaussian\" or overlap 0";
  json model = valid_model();
  model["window"]["overlap"] = 0.25;
  EXPECT_EQ(complaint_about(model), expected);
  model["window"].erase("blend");
  EXPECT_EQ(complaint_about(model), expected);
}

TEST(Bundle, MoreWindowsOverAVoxelThanSumsHoldAreRefused) {
  json model = valid_model();
  model["window"]["input"] = model["window"]["output"] = {96, 96, 96};
  model["window"]["blend"] = "constant";
  model["window"]["overlap"] = 0.75;  // Steps of 24 voxels: 1 + 95 / 24, rounded up, is 5.
  EXPECT_EQ(complaint_about(model), "");
  model["window"]["overlap"] = 0.875;
  EXPECT_EQ(
      complaint_about(model),
      "window.overlap: expected at most 512 windows over one voxel, found up to 729 with 0.875; "
      "use a smaller overlap");
}

TEST(Bundle, OverlapThatLeavesNoVoxelOfAStepStepsByOne) {
  json model = valid_model();
  model["window"]["input"] = model["window"]["output"] = {3, 1, 96};
  model["window"]["blend"] = "gaussian";
  model["window"]["overlap"] = 0.7;
  const Bundle::Window window = read(model).window;
  EXPECT_EQ(window.step(), (std::array<std::int64_t, 3>{1, 1, 28}));
  EXPECT_EQ(window.most_over_a_voxel(), 3 * 1 * 5);
}

TEST(Window, StepsWithoutABlendAreItsOutputs) {
  Bundle::Window window;
  window.output = {9, 7, 5};
  EXPECT_EQ(window.step(), window.output);
  EXPECT_EQ(window.most_over_a_voxel(), 1);
}

/// Most outputs over a voxel along one dimension, counted on boxes of every size up to three
/// outputs: outputs begin every `step` voxels, the last one moved back to end with the box.
int counted_over_a_voxel(int output, int step) {
  int most = 1;
  for (int size = output; size <= 3 * output; ++size) {
    std::vector<int> over(static_cast<std::size_t>(size));
    for (int begin = 0, end = 0; end < size; begin += step) {
      end = std::min(begin + output, size);
      for (int voxel = end - output; voxel < end; ++voxel) {
        most = std::max(most, ++over[static_cast<std::size_t>(voxel)]);
      }
    }
  }
  return most;
}

TEST(Window, MostOutputsOverAVoxelAreThoseThatCountingFinds) {
  Bundle::Window window;
  window.blend = Bundle::Window::Blend::kConstant;
  for (const double overlap : {0.0, 0.1, 0.25, 0.5, 0.6, 0.75, 0.9}) {
    window.overlap = overlap;
    for (int size = 1; size <= 24; ++size) {
      window.output = {size, 1, 1};
      const int step = static_cast<int>(window.step()[0]);
      EXPECT_EQ(window.most_over_a_voxel(), counted_over_a_voxel(size, step))
          << overlap << " of " << size;
    }
  }
}

TEST(Window, NoMoreOutputsSpreadEvenlyLieOverAVoxelThanIsSaid) {
  Bundle::Window window;
  window.blend = Bundle::Window::Blend::kConstant;
  window.layout = Bundle::Window::Layout::kEven;
  for (const double overlap : {0.0, 0.1, 0.25, 0.5, 0.6, 0.75}) {
    window.overlap = overlap;
    for (int size = 1; size <= 24; ++size) {
      int most = 1;
      for (int box = size; box <= 6 * size; ++box) {
        const auto steps = static_cast<int>(std::ceil((box - size) / (size * (1 - overlap))));
        std::vector<int> over(static_cast<std::size_t>(box));
        for (int n = 0; n <= steps; ++n) {
          const double apart = steps == 0 ? 0 : static_cast<double>(box - size) / steps;
          const auto begin = static_cast<int>(std::lrint(n * apart));
          for (int voxel = begin; voxel < begin + size; ++voxel) {
            most = std::max(most, ++over[static_cast<std::size_t>(voxel)]);
          }
        }
      }
      EXPECT_LE(std::int64_t{most} * most * most, window.most_over_a_voxel())
          << overlap << " of " << size;
    }
  }
}

// Half of an output apart or less: up to four, which three and two dimensions more make 64.
TEST(Bundle, WindowsSpreadEvenlyAndNnunetsGaussianAreReadFromFormat2On) {
  json model = valid_model();
  model["window"]["input"] = model["window"]["output"] = {48, 64, 48};
  model["window"]["blend"] = "gaussian_nnunet";
  model["window"]["overlap"] = 0.5;
  EXPECT_EQ(complaint_about(model),
            "format: expected 2, with which window.blend \"gaussian_nnunet\" came, found 1");
  model["window"]["layout"] = "even";
  EXPECT_EQ(complaint_about(model),
            "format: expected 2, with which window.layout \"even\" came, found 1");
  model["format"] = 2;
  const Bundle::Window window = read(model).window;
  EXPECT_EQ(window.layout, Bundle::Window::Layout::kEven);
  EXPECT_EQ(window.blend, Bundle::Window::Blend::kGaussianNnunet);
  EXPECT_EQ(window.most_over_a_voxel(), 64);
  model["window"]["overlap"] = 0.9;
  EXPECT_EQ(complaint_about(model),
            "window.overlap: expected at most 512 windows over one voxel, found up to 1728 with "
            "0.9; use a smaller overlap");
}

TEST(Bundle, WindowsSpreadEvenlyAreBlended) {
  json model = valid_model();
  model["format"] = 2;
  model["window"]["layout"] = "even";
  EXPECT_EQ(complaint_about(model),
            "window.layout: \"even\" is of windows that are blended, and \"blend\" is \"none\"");
}

}  // namespace
}  // namespace mcvol
