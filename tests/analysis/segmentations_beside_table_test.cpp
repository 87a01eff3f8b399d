#include <algorithm>

#include "analysis/expected_dice_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;

/// Reference volumes in a table, and label maps beside it (--segmentations).
class SegmentationsBesideATable : public testing::ExpectedDiceOfResults {};

/// The volumes are the table's, the Dice is that of label maps beside it.
TEST_F(SegmentationsBesideATable, OfATableIsLearnedFromLabelMapsBesideIt) {
  const CalibrateReport of_labels = calibrate(with_labels());
  const CalibrateReport of_table = calibrate(options());
  CalibrateOptions asked = options();
  asked.references.segmentations = folder("labels");
  const CalibrateReport of_both = calibrate(asked);
  EXPECT_EQ(of_both.why_no_dice, "");
  const RegionCalibration& region = of_both.calibration.region("whole");
  ASSERT_TRUE(region.dice);
  EXPECT_EQ(region.dice->n(), of_labels.calibration.region("whole").dice->n());
  for (std::size_t n = 0; n < region.dice->scans().size(); ++n) {
    EXPECT_EQ(region.dice->scans()[n].dice,
              of_labels.calibration.region("whole").dice->scans()[n].dice);
  }
  EXPECT_EQ(region.most_usual_width, of_table.calibration.region("whole").most_usual_width);
}

TEST_F(SegmentationsBesideATable, LabelMapsBesideATableMayBeFewerThanItsCases) {
  const std::string without = calibration_scans_[7].case_id;
  fs::remove(folder("labels") / (without + ".nii.gz"));
  CalibrateOptions asked = options();
  asked.references.segmentations = folder("labels");
  const CalibrateReport report = calibrate(asked);
  EXPECT_EQ(report.scans, kReferences) << "its volume counts";
  EXPECT_EQ(report.dice[0].n, kReferences - 1);
  ASSERT_EQ(report.notes.size(), 1u);
  EXPECT_EQ(report.notes[0], "1 of 60 case(s) have no Dice: 1 that cannot be compared: " +
                                 folder("labels").string() + ": no label map of " + without);
}

/// A map that cannot be read, or of another convention, costs the Dice and no volume.
TEST_F(SegmentationsBesideATable, BadLabelMapsBesideATableLeaveTheVolumes) {
  CalibrateOptions asked = options();
  asked.references.segmentations = folder("labels");
  testing_support::write_text(folder("labels") / (calibration_scans_[7].case_id + ".nii.gz"), "no");
  const CalibrateReport one = calibrate(asked);
  EXPECT_EQ(one.scans, kReferences);
  EXPECT_TRUE(one.left_out.empty());
  EXPECT_EQ(one.dice[0].n, kReferences - 1);
  for (const testing::SyntheticScan& scan : calibration_scans_) {
    Image<std::uint8_t> other = row_of(0, voxels_of(scan));
    for (std::uint8_t& value : other.values) value = value == 0 ? 0 : 77;
    write_image(folder("labels") / (scan.case_id + ".nii.gz"), other);
  }
  const CalibrateReport all = calibrate(asked);
  EXPECT_EQ(all.scans, kReferences);
  EXPECT_TRUE(all.dice.empty());
  EXPECT_NE(all.why_no_dice.find("60 of 60 case(s) have no Dice: 60 that cannot be compared: "),
            std::string::npos)
      << all.why_no_dice;
  EXPECT_NE(all.why_no_dice.find("77"), std::string::npos) << all.why_no_dice;
}

TEST_F(SegmentationsBesideATable, ATableWithoutRowsIsNotMadeOfTheLabelMapsBesideIt) {
  testing_support::write_text(folder("empty.csv"), "case_id,region,volume_ml\n");
  CalibrateOptions asked = options();
  asked.references.path = folder("empty.csv");
  asked.references.segmentations = folder("labels");
  EXPECT_NE(testing_support::message_from<UsageError>([&] { calibrate(asked); }), "");
}

/// Passes speak where the calibration knows of no Dice, and are silent where it does.
TEST_F(SegmentationsBesideATable, FlagsOfPassesGiveWayToAnExpectedDice) {
  const auto flagged = [&] {
    int count = 0;
    for (const auto& [case_id, rows] : table().rows_by_case) {
      const auto& flags = rows.front().flags;
      count += static_cast<int>(std::count(flags.begin(), flags.end(), "passes_disagree"));
    }
    return count;
  };
  calibrate(options());
  EXPECT_GT(flagged(), 0);
  calibrate(with_labels());
  EXPECT_EQ(flagged(), 0);
}

TEST_F(SegmentationsBesideATable, LabelMapsBesideLabelMapsOrInNoFolderAreRefused) {
  CalibrateOptions twice = with_labels();
  twice.references.segmentations = folder("labels");
  EXPECT_EQ(testing_support::message_from<UsageError>([&] { calibrate(twice); }),
            "--segmentations goes with a table of references; " + folder("labels").string() +
                " is a folder of label maps, which know the Dice by themselves");
  CalibrateOptions nowhere = options();
  nowhere.references.segmentations = folder("nowhere");
  EXPECT_EQ(testing_support::message_from<UsageError>([&] { calibrate(nowhere); }),
            folder("nowhere").string() + ": no such folder of label maps");
}

}  // namespace
}  // namespace mcvol
