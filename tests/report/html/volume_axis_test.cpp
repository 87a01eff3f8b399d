#include "report/html/volume_axis.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace mcvol {
namespace {

TEST(VolumeAxis, IsEvenInTheCubeRoot) {
  const VolumeAxis axis(1000, 100, 600);
  EXPECT_DOUBLE_EQ(axis.at(0), 100);
  EXPECT_NEAR(axis.at(1), 150, 1e-9);
  EXPECT_NEAR(axis.at(125), 350, 1e-9);
  EXPECT_NEAR(axis.at(1000), 600, 1e-9);
}

TEST(VolumeAxis, HoldsWhatLiesBeyondItsEnds) {
  const VolumeAxis axis(8, 0, 100);
  EXPECT_DOUBLE_EQ(axis.at(27), 100);
  EXPECT_DOUBLE_EQ(axis.at(-1), 0);
}

TEST(VolumeAxis, TicksAscendWithRoomForTheirLabels) {
  for (const double most_ml : {0.0, 0.5, 12.0, 250.0, 1500.0}) {
    SCOPED_TRACE(most_ml);
    const VolumeAxis axis(most_ml, 0, 590);
    const std::vector<double> ticks = axis.ticks_ml();
    EXPECT_GE(ticks.size(), 2u);
    for (std::size_t n = 1; n < ticks.size(); ++n) {
      EXPECT_GE(axis.at(ticks[n]) - axis.at(ticks[n - 1]), 40);
    }
  }
}

TEST(VolumeAxis, HasTicksBeyondALitre) {
  const VolumeAxis axis(120000, 0, 590);
  const std::vector<double> ticks = axis.ticks_ml();
  EXPECT_GE(ticks.back(), 50000);
  for (std::size_t n = 1; n < ticks.size(); ++n) {
    const double letters = std::floor(std::log10(ticks[n])) + 1;
    EXPECT_GE(axis.at(ticks[n]) - axis.at(ticks[n - 1]), 8 * letters) << ticks[n];
  }
}

TEST(VolumeAxisEnd, IsTheLargestWithoutAnOutlier) {
  EXPECT_EQ(axis_end_ml({}), 0);
  EXPECT_EQ(axis_end_ml({1, 1000}), 1000);
  EXPECT_EQ(axis_end_ml({5, 20, 80, 160, 320}), 320);
  EXPECT_EQ(axis_end_ml({3, 4.6, 4.8, 5.3, 5.9, 7.4, 21.5, 182}), 182);  // a large tumour
}

TEST(VolumeAxisEnd, IsTheLargestOfTheOthersBesideAnOutlier) {
  EXPECT_EQ(axis_end_ml({10, 20, 1500, 30, 20}), 30);
  // At most a twentieth of the rows is cut, so that half of small tumours does not hide the others.
  std::vector<double> two_kinds(100, 0.5);
  std::fill(two_kinds.begin() + 80, two_kinds.end(), 60.0);
  EXPECT_EQ(axis_end_ml(two_kinds), 60);
  two_kinds[99] = 5000;
  EXPECT_EQ(axis_end_ml(two_kinds), 60);
}

}  // namespace
}  // namespace mcvol
