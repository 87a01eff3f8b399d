#include "report/html/volume_axis.h"

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

}  // namespace
}  // namespace mcvol
