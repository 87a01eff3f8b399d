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

// nnunetv2 2.8.1: compute_gaussian((5, 4, 6), value_scaling_factor=10), of half precision, over 16
TEST(ImportanceMap, NnunetsGaussianIsAroundAVoxelAndOfHalfPrecision) {
  const float along0[5] = {0.05975341796875F, 2.78125F, 10, 2.78125F, 0.05975341796875F};
  const float along1[4] = {0.0033550262451171875F, 1.353515625F, 10, 1.353515625F};
  const float along2[6] = {0.0033550262451171875F, 0.28564453125F, 4.109375F, 10, 4.109375F,
                           0.28564453125F};
  const auto weights = importance_map(kSize, Blend::kGaussianNnunet);
  ASSERT_EQ(weights.size(), 120u);
  for (std::size_t n = 0; n < 5; ++n) EXPECT_EQ(16 * weight_at(weights, n, 2, 3), along0[n]);
  for (std::size_t n = 0; n < 4; ++n) EXPECT_EQ(16 * weight_at(weights, 2, n, 3), along1[n]);
  for (std::size_t n = 0; n < 6; ++n) EXPECT_EQ(16 * weight_at(weights, 2, 2, n), along2[n]);
  EXPECT_NEAR(16 * std::accumulate(weights.begin(), weights.end(), 0.0), 37.45693510770798, 1e-6);
}

// The same of (48, 64, 48): 1,379 weights at the least one, those that were 0 among them.
TEST(ImportanceMap, NnunetsGaussianHasNoFloorButWhereItIsZero) {
  const auto weights = importance_map({48, 64, 48}, Blend::kGaussianNnunet);
  const auto at = [&](std::size_t d0, std::size_t d1, std::size_t d2) {
    return 16 * weights[(d0 * 64 + d1) * 48 + d2];
  };
  constexpr float kLeast = 0x1p-24F;
  EXPECT_EQ(at(24, 32, 24), 10);
  EXPECT_EQ(at(0, 0, 0), kLeast);
  EXPECT_EQ(at(47, 63, 47), kLeast);
  EXPECT_EQ(at(0, 32, 24), 0.0033550262451171875F);
  EXPECT_EQ(at(10, 20, 30), 0.12939453125F);
  EXPECT_EQ(at(3, 5, 40), 2.086162567138672e-06F);
  EXPECT_EQ(std::count(weights.begin(), weights.end(), kLeast / 16), 1379);
  EXPECT_NEAR(16 * std::accumulate(weights.begin(), weights.end(), 0.0), 45349.67094051838, 1e-4);
}

TEST(ImportanceMap, ConstantWeightsAreOne) {
  EXPECT_EQ(importance_map({3, 2, 4}, Blend::kConstant), std::vector<float>(24, 1.0F));
}

}  // namespace
}  // namespace mcvol
