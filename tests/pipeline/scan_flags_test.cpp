#include "mcvol/pipeline/scan_flags.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace mcvol {
namespace {

using Flags = std::vector<std::string>;

/// So many ml of brain, in voxels of 1 ml.
PreparedScan scan_with(std::int64_t brain_ml) {
  PreparedScan scan;
  scan.grid.size = {20, 20, 20};
  scan.grid.spacing_mm = Eigen::Vector3d::Constant(10.0);
  scan.brain = Image<std::uint8_t>(scan.grid);
  std::fill_n(scan.brain.values.begin(), brain_ml, std::uint8_t{1});
  return scan;
}

TEST(FlagsOf, NoneOfAnOrdinaryScan) {
  EXPECT_EQ(flags_of(scan_with(300), true), Flags{});
  EXPECT_EQ(flags_of(scan_with(1400), true), Flags{});
  EXPECT_EQ(flags_of(scan_with(2500), true), Flags{});
}

TEST(FlagsOf, BrainsOfNoPossibleSizeWhereScansAreToBeSkullStripped) {
  EXPECT_EQ(flags_of(scan_with(299), true), Flags{"small_brain"});
  EXPECT_EQ(flags_of(scan_with(2501), true), Flags{"large_brain"});
  EXPECT_EQ(flags_of(scan_with(299), false), Flags{});
  EXPECT_EQ(flags_of(scan_with(2501), false), Flags{});
}

TEST(FlagsOf, WhatIsKnownOfTheScanSorted) {
  PreparedScan scan = scan_with(1400);
  scan.brain_in_all = 0.89;
  scan.no_background = scan.resampled = scan.touches_border = true;
  EXPECT_EQ(flags_of(scan, false),
            (Flags{"masks_differ", "no_background", "resampled", "touches_border"}));
}

}  // namespace
}  // namespace mcvol
