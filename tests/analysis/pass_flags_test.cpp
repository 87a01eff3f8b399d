// What passes say by themselves against a segmentation, in the table. Volumes of sharp passes are
// known by hand: their level sets are the passes themselves, all equally likely.
#include "mcvol/analysis/volume_table.h"

#include <algorithm>
#include <string>
#include <vector>

#include "io/records/result_fixtures.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using namespace testing_support;

/// Of the first region: what the rows of a record with it have of the three flags.
std::vector<std::string> flags_of_first(const RegionRecord& region) {
  CaseRecord record = measured_record("case_01");
  record.regions[0] = region;
  const std::vector<VolumeRow> rows = rows_of(record, parse_levels({"0.9"}));
  std::vector<std::string> found;
  for (const std::string& flag : rows.at(0).flags) {
    if (flag == "passes_disagree" || flag == "scattered" || flag == "wide_raw_interval") {
      found.push_back(flag);
    }
  }
  return found;
}

/// Four passes of 2000 voxels each, all the same ones: nothing to say against it.
RegionRecord agreeing_region() {
  RegionRecord region = sharp_region("whole", {2000, 2000, 2000, 2000}, 2000);
  region.agreement = {4000, 0, 0, 0, 2000};
  region.segmentation = SegmentationShape{1, 2000, false};
  return region;
}

TEST(PassFlags, AreNoneWherePassesAgreeOnOnePiece) {
  EXPECT_EQ(flags_of_first(agreeing_region()), std::vector<std::string>{});
}

// n voxels in all four passes and m in three: (12 n + 6 m) / (3 (4 n + 3 m)), which is 0.8 where
// 12 n + 6 m = 9.6 n + 7.2 m, m = 2 n.
TEST(PassFlags, PassesDisagreeBelowADiceOfFourFifths) {
  RegionRecord region = agreeing_region();
  region.agreement = {3000, 0, 0, 2000, 1000};
  EXPECT_EQ(flags_of_first(region), std::vector<std::string>{});
  region.agreement = {2999, 0, 0, 2001, 1000};
  EXPECT_EQ(flags_of_first(region), std::vector<std::string>{"passes_disagree"});
}

TEST(PassFlags, ARawIntervalIsWideBeyondItsVolume) {
  RegionRecord region = agreeing_region();
  region.passes = sharp_region("whole", {1100, 2000, 2000, 3000}, 2000).passes;
  EXPECT_EQ(flags_of_first(region), std::vector<std::string>{});
  region.passes = sharp_region("whole", {900, 2000, 2000, 3000}, 2000).passes;
  EXPECT_EQ(flags_of_first(region), std::vector<std::string>{"wide_raw_interval"});
}

TEST(PassFlags, ScatteredIsWhatHasNoPieceOfHalfOfIt) {
  RegionRecord region = agreeing_region();
  region.segmentation = SegmentationShape{2, 1000, false};
  EXPECT_EQ(flags_of_first(region), std::vector<std::string>{});
  region.segmentation = SegmentationShape{3, 999, false};
  EXPECT_EQ(flags_of_first(region), std::vector<std::string>{"scattered"});
  region.segmentation = SegmentationShape{0, 0, false};
  EXPECT_EQ(flags_of_first(region), std::vector<std::string>{}) << "where its pieces are not known";
}

// Nothing segmented is `empty` and no more; records of before have neither agreement nor shape.
TEST(PassFlags, NothingIsSaidOfNothing) {
  RegionRecord region = sharp_region("whole", {0, 0, 0, 2000}, 0);
  region.agreement = {4000, 2000, 0, 0, 0};
  region.segmentation = SegmentationShape{};
  EXPECT_EQ(flags_of_first(region), std::vector<std::string>{});
  EXPECT_EQ(flags_of_first(sharp_region("whole", {2000, 2000}, 2000)), std::vector<std::string>{});
}

}  // namespace
}  // namespace mcvol
