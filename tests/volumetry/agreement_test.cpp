#include "mcvol/volumetry/agreement.h"

#include "mcvol/error/error.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace mcvol {
namespace {

/// [pass][voxel]
using Passes = std::vector<std::vector<bool>>;

std::vector<std::int64_t> counted(const Passes& passes) {
  std::vector<std::int64_t> voxels(passes.size() + 1);
  for (std::size_t voxel = 0; voxel < passes.front().size(); ++voxel) {
    std::size_t count = 0;
    for (const auto& pass : passes) count += pass[voxel] ? 1 : 0;
    ++voxels[count];
  }
  return voxels;
}

/// Twice the intersections of all pairs over the sum of the pairs' sizes.
double pairwise_dice(const Passes& passes) {
  double shared = 0, sizes = 0;
  for (std::size_t a = 0; a < passes.size(); ++a) {
    for (std::size_t b = a + 1; b < passes.size(); ++b) {
      for (std::size_t voxel = 0; voxel < passes[a].size(); ++voxel) {
        shared += passes[a][voxel] && passes[b][voxel] ? 1 : 0;
        sizes += (passes[a][voxel] ? 1 : 0) + (passes[b][voxel] ? 1 : 0);
      }
    }
  }
  return 2 * shared / sizes;
}

TEST(GeneralisedDice, IsThatOfAllPairsOfPasses) {
  std::mt19937 generator(3);
  for (const int pass_count : {2, 3, 7, 20}) {
    for (const double share : {0.01, 0.3, 0.9}) {
      std::bernoulli_distribution inside(share);
      Passes passes(static_cast<std::size_t>(pass_count), std::vector<bool>(500));
      for (auto& pass : passes) {
        for (std::size_t voxel = 0; voxel < pass.size(); ++voxel) pass[voxel] = inside(generator);
      }
      EXPECT_NEAR(generalised_dice(counted(passes)).value(), pairwise_dice(passes), 1e-14);
    }
  }
}

TEST(GeneralisedDice, OfTwoPassesIsTheDiceOfTheTwo) {
  // 30 voxels in both, 10 in one of them: 2 * 30 / (2 * 30 + 10).
  EXPECT_DOUBLE_EQ(generalised_dice(std::vector<std::int64_t>{900, 10, 30}).value(), 60.0 / 70.0);
}

TEST(GeneralisedDice, IsOneWhereAllPassesAgreeAndZeroWhereNoTwoShareAVoxel) {
  EXPECT_EQ(generalised_dice(std::vector<std::int64_t>{100, 0, 0, 0, 7}), 1.0);
  EXPECT_EQ(generalised_dice(std::vector<std::int64_t>{100, 9, 0, 0, 0}), 0.0);
  EXPECT_EQ(generalised_dice(std::vector<std::int64_t>{100, 0, 0, 0, 0}), 1.0) << "all empty";
}

TEST(GeneralisedDice, OfASinglePassIsNotKnown) {
  EXPECT_EQ(generalised_dice(std::vector<std::int64_t>{100, 9}), std::nullopt);
  EXPECT_THROW(generalised_dice({}), Error);
  EXPECT_THROW(generalised_dice(std::vector<std::int64_t>{100}), Error);
  EXPECT_THROW(generalised_dice(std::vector<std::int64_t>{100, -1, 0}), Error);
}

}  // namespace
}  // namespace mcvol
