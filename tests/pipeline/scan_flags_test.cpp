#include "mcvol/pipeline/scan_flags.h"

#include <algorithm>

#include <gtest/gtest.h>

namespace mcvol {
namespace {

using Flags = std::vector<std::string>;

constexpr ScanRequirements kStripped{.skull_stripped = true};

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
  EXPECT_EQ(flags_of(scan_with(300), {}, kStripped), Flags{});
  EXPECT_EQ(flags_of(scan_with(1400), {}, kStripped), Flags{});
  EXPECT_EQ(flags_of(scan_with(2500), {}, kStripped), Flags{});
}

TEST(FlagsOf, BrainsOfNoPossibleSizeWhereScansAreToBeSkullStripped) {
  EXPECT_EQ(flags_of(scan_with(299), {}, kStripped), Flags{"small_brain"});
  EXPECT_EQ(flags_of(scan_with(2501), {}, kStripped), Flags{"large_brain"});
  EXPECT_EQ(flags_of(scan_with(299), {}, {}), Flags{});
  EXPECT_EQ(flags_of(scan_with(2501), {}, {}), Flags{});
}

TEST(FlagsOf, WhatIsKnownOfTheScanSorted) {
  PreparedScan scan = scan_with(1400);
  scan.brain_in_all = 0.89;
  scan.no_background = scan.resampled = scan.touches_border = true;
  EXPECT_EQ(flags_of(scan, {}, {}),
            (Flags{"masks_differ", "no_background", "resampled", "touches_border"}));
}

/// Of two channels, of which the second tells so much of the first as it lies and 4 mm away.
ImageQuality quality_of(std::optional<double> unshifted, std::optional<double> shifted) {
  ImageQuality quality;
  quality.channels.resize(2);
  quality.channels[1].mutual_information.emplace();
  quality.channels[1].mutual_information->unshifted = unshifted;
  quality.channels[1].mutual_information->shifted[1][2][0] = shifted;
  return quality;
}

TEST(FlagsOf, ChannelsThatFitBetterShiftedWhereTheyAreToBeCoregistered) {
  const PreparedScan scan = scan_with(1400);
  const ScanRequirements coregistered{.coregistered = true};
  EXPECT_EQ(flags_of(scan, quality_of(0.2, 0.25), coregistered), Flags{"not_coregistered"});
  EXPECT_EQ(flags_of(scan, quality_of(0.2, 0.23), coregistered), Flags{});
  EXPECT_EQ(flags_of(scan, quality_of(0.2, 0.25), {}), Flags{});
  EXPECT_EQ(flags_of(scan, quality_of(std::nullopt, 0.25), coregistered), Flags{});
  EXPECT_EQ(flags_of(scan, quality_of(0.2, std::nullopt), coregistered), Flags{});
  EXPECT_EQ(flags_of(scan, std::nullopt, coregistered), Flags{});
}

}  // namespace
}  // namespace mcvol
