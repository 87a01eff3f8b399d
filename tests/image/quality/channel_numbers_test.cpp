#include "image/quality/channel_numbers.h"

#include <cmath>
#include <functional>
#include <random>

#include "image/quality/joint_information.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

Grid grid_of(std::int64_t i, std::int64_t j, std::int64_t k) {
  Grid grid;
  grid.size = {i, j, k};
  return grid;
}

Image<float> image_of(const Grid& grid, const std::function<double(const Index3&)>& intensity) {
  Image<float> image(grid);
  for_each_voxel_of(Image<std::uint8_t>(grid, 1), [&](const Index3& voxel, std::size_t position) {
    image.values[position] = static_cast<float>(intensity(voxel));
  });
  return image;
}

Image<float> noisy(const Grid& grid, double sd, const std::function<double(const Index3&)>& mean) {
  std::mt19937 generator(17);
  std::normal_distribution<double> normal(0.0, sd);
  return image_of(grid, [&](const Index3& voxel) { return mean(voxel) + normal(generator); });
}

/// The half of 40x40x40 voxels beyond a step, on ramps of different slope, with a ripple along k.
double steps_and_ramps(const Index3& voxel) {
  const double ramp = 0.7 * static_cast<double>(voxel[0]) - 0.2 * static_cast<double>(voxel[1]);
  return (voxel[1] > 20 ? 30.0 + ramp : -2 * ramp) + std::sin(0.4 * static_cast<double>(voxel[2]));
}

TEST(BrainSample, TakesEveryVoxelOfASmallBrainAndAnEvenShareOfALargeOne) {
  Image<std::uint8_t> brain(grid_of(30, 20, 10), 1);
  brain.at(3, 4, 5) = 0;
  const BrainSample all(brain, 6000);
  EXPECT_EQ(all.voxels().size(), 5999u);
  EXPECT_EQ(all.brain_voxels(), 5999);
  EXPECT_EQ(all.voxels_along(2)[5], 599);
  EXPECT_FALSE(all.contains({3, 4, 5}));
  EXPECT_FALSE(all.contains({30, 4, 5}));
  const BrainSample some(brain, 1000);
  EXPECT_LE(some.voxels().size(), 1000u);
  EXPECT_GE(some.voxels().size(), 800u);
  EXPECT_EQ(some.brain_voxels(), 5999);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    std::vector<int> taken(static_cast<std::size_t>(brain.grid.size[axis]));
    for (const Index3& voxel : some.voxels()) ++taken[static_cast<std::size_t>(voxel[axis])];
    const double even =
        static_cast<double>(some.voxels().size()) / static_cast<double>(brain.grid.size[axis]);
    for (const int count : taken) EXPECT_NEAR(count, even, 0.35 * even) << "axis " << axis;
  }
}

TEST(Pearson, IsOneOfALineMinusOneOfItsMirrorAndNoneOfAConstant) {
  const std::vector<double> line{1, 2, 3, 4.5}, other{-2, -4, -6, -9}, constant(4, 7.1);
  EXPECT_DOUBLE_EQ(pearson(line, line).value(), 1.0);
  EXPECT_DOUBLE_EQ(pearson(line, other).value(), -1.0);
  EXPECT_EQ(pearson(line, constant), std::nullopt);
  EXPECT_EQ(pearson({}, {}), std::nullopt);
  // numpy.corrcoef([1, 2, 3, 4.5], [2, 1, 4, 3])
  EXPECT_NEAR(pearson(line, std::vector<double>{2, 1, 4, 3}).value(), 0.562039011517, 1e-11);
}

TEST(EstimatedNoise, IsTheSdOfTheNoiseOnStepsAndRamps) {
  const Grid grid = grid_of(40, 40, 40);
  const Image<std::uint8_t> brain(grid, 1);
  const BrainSample sample(brain, kMostQualityVoxels);
  for (const double sd : {0.5, 2.0}) {
    const auto found = estimated_noise(noisy(grid, sd, steps_and_ramps), sample);
    EXPECT_NEAR(found.value() / sd, 1.0, 0.03) << sd;
  }
  // Of what is linear along an axis nothing is left but the rounding of floats.
  EXPECT_LT(estimated_noise(image_of(grid, steps_and_ramps), sample).value(), 1e-5);
}

TEST(EstimatedNoise, IsNotKnownWhereNoVoxelHasAllItsNeighbours) {
  const Image<std::uint8_t> brain(grid_of(9, 9, 2), 1);
  EXPECT_EQ(estimated_noise(Image<float>(brain.grid), BrainSample(brain, 1000)), std::nullopt);
}

TEST(MeanStep, IsTheSlopeOfARamp) {
  const Grid grid = grid_of(6, 5, 1);
  const Image<std::uint8_t> brain(grid, 1);
  const BrainSample sample(brain, 1000);
  const Image<float> ramp =
      image_of(grid, [](const Index3& voxel) { return 2.0 * voxel[0] - 0.25 * voxel[1]; });
  EXPECT_DOUBLE_EQ(mean_step(ramp, sample, 0).value(), 2.0);
  EXPECT_DOUBLE_EQ(mean_step(ramp, sample, 1).value(), 0.25);
  EXPECT_EQ(mean_step(ramp, sample, 2), std::nullopt);
}

TEST(QualityQuantiles, AreNumpysDefault) {
  std::vector<double> values;
  for (int n = 1000; n >= 0; --n) values.push_back(n);
  const auto quantiles = quality_quantiles(values);
  for (std::size_t n = 0; n < quantiles.size(); ++n) {
    EXPECT_DOUBLE_EQ(quantiles[n], 1000 * kQualityQuantiles[n]);
  }
  EXPECT_DOUBLE_EQ(quality_quantiles({1, 2, 4})[2], 1.5);
  EXPECT_EQ(quality_quantiles({3}).back(), 3.0);
}

TEST(JointInformation, OfAChannelWithItselfIsItsEntropy) {
  const Grid grid = grid_of(64, 16, 4);
  const Image<std::uint8_t> brain(grid, 1);
  const BrainSample sample(brain, kMostQualityVoxels);
  const Image<float> four =
      image_of(grid, [](const Index3& voxel) { return static_cast<double>(voxel[0] / 16); });
  const Image<float> same_groups = image_of(grid, [](const Index3& voxel) {
    return std::array{5.0, 1.0, 9.0, -3.0}[voxel[0] / 16];
  });
  const Image<float> other_axis =
      image_of(grid, [](const Index3& voxel) { return static_cast<double>(voxel[1] / 4); });
  const auto quantiles_of = [&](const Image<float>& image) {
    return quality_quantiles(values_at(image, sample));
  };
  const JointInformation first(four, quantiles_of(four), sample);
  const Index3 none{0, 0, 0};
  EXPECT_NEAR(first.with(four, quantiles_of(four), none).value(), std::log(4), 1e-12);
  EXPECT_NEAR(first.with(same_groups, quantiles_of(same_groups), none).value(), std::log(4), 1e-12);
  EXPECT_NEAR(first.with(other_axis, quantiles_of(other_axis), none).value(), 0.0, 1e-12);
  EXPECT_EQ(first.with(Image<float>(grid, 1), quantiles_of(Image<float>(grid, 1)), none),
            std::nullopt);
  EXPECT_EQ(first.with(four, quantiles_of(four), {0, 0, 4}), std::nullopt);
}

TEST(JointInformation, IsLargestWhereTheShiftUndoesADisplacement) {
  const Grid grid = grid_of(50, 50, 50);
  const Image<std::uint8_t> brain(grid, 1);
  const BrainSample sample(brain, kMostQualityVoxels);
  const auto pattern = [](const Index3& voxel) {
    return std::sin(0.5 * static_cast<double>(voxel[0])) *
               std::cos(0.3 * static_cast<double>(voxel[1])) +
           std::sin(0.7 * static_cast<double>(voxel[2]));
  };
  const Image<float> first = noisy(grid, 0.1, pattern);
  // Reversed contrast, three voxels further along the first axis.
  const Image<float> moved = noisy(grid, 0.2, [&](const Index3& voxel) {
    return -2 * pattern({voxel[0] - 3, voxel[1], voxel[2]});
  });
  const auto quantiles = quality_quantiles(values_at(moved, sample));
  const JointInformation information(first, quality_quantiles(values_at(first, sample)), sample);
  const double at_it = information.with(moved, quantiles, {3, 0, 0}).value();
  for (const Index3& shift : {Index3{0, 0, 0}, {-3, 0, 0}, {2, 0, 0}, {4, 0, 0}, {3, 0, 1}}) {
    EXPECT_GT(at_it, 1.1 * information.with(moved, quantiles, shift).value()) << shift[0];
  }
}

TEST(VoxelsForMm, AreTheFewestThatReachIt) {
  EXPECT_EQ(voxels_for_mm(2, 1.0), 2);
  EXPECT_EQ(voxels_for_mm(2, 0.999999), 2) << "what a header rounds is forgiven";
  EXPECT_EQ(voxels_for_mm(2, 0.9), 3);
  EXPECT_EQ(voxels_for_mm(4, 3.0), 2);
  EXPECT_EQ(voxels_for_mm(2, 5.0), 1);
}

}  // namespace
}  // namespace mcvol
