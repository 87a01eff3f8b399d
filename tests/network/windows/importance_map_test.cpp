#include "network/windows/importance_map.h"

#include <algorithm>
#include <numeric>

#include <gtest/gtest.h>

namespace mcvol {
namespace {

using Blend = Bundle::Window::Blend;

// MONAI 1.6.1: compute_importance_map((5, 4, 6), mode="gaussian")
constexpr std::array<std::int64_t, 3> kSize = {5, 4, 6};

float weight_at(const std::vector<float>& weights, std::size_t d0, std::size_t d1, std::size_t d2) {
  return weights[(d0 * 4 + d1) * 6 + d2];
}

TEST(ImportanceMap, TheMiddleSliceOfAGaussianIsMonais) {
  const float expected[4][6] = {
      {0.001F, 0.001503439F, 0.008895389F, 0.008895389F, 0.001503439F, 0.001F},
      {0.0023448F, 0.082085F, 0.4856718F, 0.4856718F, 0.082085F, 0.0023448F},
      {0.0023448F, 0.082085F, 0.4856718F, 0.4856718F, 0.082085F, 0.0023448F},
      {0.001F, 0.001503439F, 0.008895389F, 0.008895389F, 0.001503439F, 0.001F}};
  const auto weights = importance_map(kSize, Blend::kGaussian);
  for (std::size_t d1 = 0; d1 < 4; ++d1) {
    for (std::size_t d2 = 0; d2 < 6; ++d2) {
      EXPECT_NEAR(weight_at(weights, 2, d1, d2), expected[d1][d2], 1e-6F * expected[d1][d2])
          << d1 << ", " << d2;
    }
  }
}

TEST(ImportanceMap, AGaussianFallsToBothEndsAsMonaisDoes) {
  const float expected[5] = {0.002902386F, 0.13503487F, 0.4856718F, 0.13503487F, 0.002902386F};
  const auto weights = importance_map(kSize, Blend::kGaussian);
  for (std::size_t d0 = 0; d0 < 5; ++d0) {
    EXPECT_NEAR(weight_at(weights, d0, 1, 2), expected[d0], 1e-6F * expected[d0]) << d0;
  }
}

TEST(ImportanceMap, AsManyWeightsAreAtTheFloorAsInMonai) {
  const auto weights = importance_map(kSize, Blend::kGaussian);
  EXPECT_EQ(weights.size(), 120u);
  EXPECT_EQ(*std::min_element(weights.begin(), weights.end()), 1e-3F);
  EXPECT_EQ(std::count(weights.begin(), weights.end(), 1e-3F), 68);
  EXPECT_NEAR(std::accumulate(weights.begin(), weights.end(), 0.0), 3.695867286529392, 1e-6);
}

// MONAI 1.6.1: compute_importance_map((1, 2, 1), mode="gaussian"): sigma 0.25, half a voxel off.
TEST(ImportanceMap, WindowsOfOneVoxelHaveTheirMiddleInIt) {
  const auto weights = importance_map({1, 2, 1}, Blend::kGaussian);
  ASSERT_EQ(weights.size(), 2u);
  EXPECT_NEAR(weights[0], 0.13533528F, 1e-7F);
  EXPECT_EQ(weights[0], weights[1]);
}

TEST(ImportanceMap, ConstantWeightsAreOne) {
  EXPECT_EQ(importance_map({3, 2, 4}, Blend::kConstant), std::vector<float>(24, 1.0F));
}

}  // namespace
}  // namespace mcvol
