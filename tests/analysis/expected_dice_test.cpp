#include <algorithm>

#include "analysis/expected_dice_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;

using testing::ExpectedDiceOfResults;

bool is_low(const VolumeRow& row) {
  return std::count(row.flags.begin(), row.flags.end(), "low_quality") > 0;
}

TEST_F(ExpectedDiceOfResults, IsLearnedFromLabelMapsAndStandsInTheTable) {
  const CalibrateReport report = calibrate(with_labels());
  EXPECT_EQ(report.why_no_dice, "");
  ASSERT_EQ(report.dice.size(), 2u) << "a region each";
  EXPECT_EQ(report.dice[0].n, kReferences);
  EXPECT_EQ(report.dice[0].rank, 6);
  const CalibrationFile read = read_calibration_file(folder("calibration.json"));
  ASSERT_TRUE(read.region("whole").dice);
  EXPECT_EQ(read.region("whole").dice->scans()[5].features,
            report.calibration.region("whole").dice->scans()[5].features);
  int held = 0, count = 0;
  double error = 0;
  for (const auto& [case_id, rows] : table().rows_by_case) {
    const auto scan = std::find_if(test_scans_.begin(), test_scans_.end(),
                                   [&](const auto& one) { return one.case_id == case_id; });
    const int voxels = voxels_of(*scan);
    const int beside = static_cast<int>(voxels * (1 - quality_of(*scan)));
    const double dice = static_cast<double>(voxels - beside) / voxels;
    ASSERT_TRUE(rows.front().dice && rows.front().dice_lower);
    held += *rows.front().dice_lower <= dice ? 1 : 0;
    error += std::abs(*rows.front().dice - dice);
    ++count;
  }
  EXPECT_GE(held, 30) << "of 40, 36 on average";
  EXPECT_LT(error / count, 0.1) << "they differ by 0.2 on average";
}

TEST_F(ExpectedDiceOfResults, OfLittleIsFlaggedWhereTheUserSaysSoToo) {
  calibrate(with_labels());
  int low = 0;
  for (const auto& [case_id, rows] : table().rows_by_case) low += is_low(rows.front()) ? 1 : 0;
  EXPECT_LE(low, 8) << "2 of 40 on average";
  for (const auto& [case_id, rows] : table(0.7).rows_by_case) {
    EXPECT_EQ(is_low(rows.front()), *rows.front().dice <= 0.7);
  }
}

/// As a run with --quality 0.7 keeps it.
TEST_F(ExpectedDiceOfResults, TheLimitOfTheRunIsThatOfLaterTablesUnlessTheySayOtherwise) {
  calibrate(with_labels());
  RunFile run = read_run_file(folder("others")).value();
  run.options["quality"] = 0.7;
  write_run_file(run, folder("others"));
  for (const auto& [case_id, rows] : table().rows_by_case) {
    EXPECT_EQ(is_low(rows.front()), *rows.front().dice <= 0.7);
  }
  for (const auto& [case_id, rows] : table(0.5).rows_by_case) {
    EXPECT_EQ(is_low(rows.front()), *rows.front().dice <= 0.5);
  }
}

TEST_F(ExpectedDiceOfResults, ALimitThatNothingGoesByIsRefused) {
  calibrate(options());
  EXPECT_NE(testing_support::message_from<UsageError>([&] {
              table(0.7);
            }).find("--quality: the calibration does not know what Dice to expect"),
            std::string::npos);
  TabulateOptions none;
  none.results = folder("others");
  none.calibration = CalibrationChoice::parse("none");
  none.least_dice = 0.7;
  EXPECT_NE(testing_support::message_from<UsageError>([&] {
              tabulate(none);
            }).find("--quality: there is no calibration"),
            std::string::npos);
}

TEST_F(ExpectedDiceOfResults, LevelsThatTheSegmentationsDoNotReachAreLeftEmpty) {
  calibrate(with_labels());
  TabulateOptions asked;
  asked.results = folder("others");
  asked.calibration = {CalibrationChoice::Kind::kFile, folder("calibration.json")};
  asked.levels = parse_levels({"0.5", "0.95"});
  const auto rows = tabulate(asked).rows_by_case.begin()->second;
  EXPECT_TRUE(rows[0].dice_lower && rows[1].dice_lower) << "of 60";
  CalibrationFile few = read_calibration_file(folder("calibration.json"));
  for (RegionCalibration& region : few.regions) {
    const auto& scans = region.dice->scans();
    region.dice.emplace(std::vector<DiceFit::Scan>(scans.begin(), scans.begin() + 15));
  }
  write_calibration_file(few, folder("calibration.json"));
  const auto with_few = tabulate(asked).rows_by_case.begin()->second;
  EXPECT_TRUE(with_few[0].dice_lower);
  EXPECT_FALSE(with_few[1].dice_lower) << "0.95 takes 19";
  EXPECT_TRUE(with_few[1].lower_ml) << "of the volume 60 are enough";
}

/// Of one case of 60 the label map has another grid.
TEST_F(ExpectedDiceOfResults, CasesWhoseDiceIsNotKnownAreCounted) {
  const std::string odd = calibration_scans_[7].case_id;
  Image<std::uint8_t> image = row_of(0, voxels_of(calibration_scans_[7]));
  image.grid.origin_mm[0] = 5;
  write_image(folder("labels") / (odd + ".nii.gz"), image);
  const CalibrateReport report = calibrate(with_labels());
  EXPECT_EQ(report.dice[0].n, kReferences - 1);
  ASSERT_EQ(report.notes.size(), 1u);
  EXPECT_EQ(report.notes[0].rfind("1 of 60 case(s) have no Dice: 1 that cannot be compared: " +
                                      (folder("labels") / (odd + ".nii.gz")).string(),
                                  0),
            0u)
      << report.notes[0];
}

TEST_F(ExpectedDiceOfResults, VolumesAloneSayNothingOfItAndHowToLearnIt) {
  const CalibrateReport report = calibrate(options());
  EXPECT_EQ(report.why_no_dice,
            "the columns dice and dice_lower stay empty: references of volumes do not know them; "
            "label maps do (--segmentations beside a table), of cases measured with --save "
            "segmentation, but for models whose regions overlap");
  EXPECT_FALSE(read_calibration_file(folder("calibration.json")).region("whole").dice);
  EXPECT_FALSE(table().rows_by_case.begin()->second.front().dice);
  fs::remove_all(folder("results") / "maps");
  EXPECT_EQ(calibrate(with_labels()).why_no_dice,
            "the columns dice and dice_lower stay empty: 60 of 60 case(s) have no Dice: 60 without "
            "saved segmentations (measure with --save segmentation)");
}

TEST_F(ExpectedDiceOfResults, EvaluationShowsWhatFindsBadSegmentations) {
  calibrate(with_labels());
  EvaluateOptions asked = evaluation("others");
  asked.references.path = folder("labels");
  asked.references.accept = true;
  const Evaluation made = evaluate(asked);
  const auto row = [&](const std::string& signal) {
    return *std::find_if(made.quality.begin(), made.quality.end(), [&](const QualityRow& one) {
      return one.region == "whole" && one.outcome == "dice_below_0.7" && one.signal == signal;
    });
  };
  ASSERT_TRUE(row("expected_dice").auroc);
  EXPECT_GT(row("expected_dice").auroc->area, 0.95);
  EXPECT_GT(row("generalised_dice").auroc->area, 0.95);
  EXPECT_LT(row("predicted_volume").auroc->area, 0.8) << "quality and size have nothing in common";
  EXPECT_GT(row("expected_dice").auroc->difference_range.lower, 0);
  EXPECT_LT(row("expected_dice").excess_area, row("predicted_volume").excess_area);
  EXPECT_GE(row("expected_dice").excess_area, 0);
  const std::string csv = segmentation_quality_csv(made);
  const auto commas = std::count(csv.begin(), csv.end(), ',');
  EXPECT_EQ(commas, 12 * (1 + 2 * 2 * 7)) << "13 columns";
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 2 * 2 * 7)
      << "regions, outcomes, signals";
  ASSERT_EQ(made.dice_coverage.size(), 2u);
  int held = 0;
  for (const EvaluatedSegmentation& one : made.segmentations) {
    if (one.region == "whole") held += *one.dice >= *one.dice_lower() ? 1 : 0;
  }
  EXPECT_EQ(made.dice_coverage[0].held, held);
  EXPECT_EQ(made.dice_coverage[0].n, 40);
  const std::string scans = segmentations_csv(made);
  EXPECT_EQ(std::count(scans.begin(), scans.end(), '\n'), 1 + 2 * 40);
  EXPECT_EQ(scans.rfind("case_id,region,dice,relative_error,expected_dice,dice_lower,generalised_"
                        "dice,entropy_inside,interval_width,level_set_width,predicted_volume\n",
                        0),
            0u);
}

/// Of references that are volumes only errors of the volume are known.
TEST_F(ExpectedDiceOfResults, WithoutLabelMapsVolumesAloneAreJudged) {
  calibrate(with_labels());
  EvaluateOptions asked = evaluation("others");
  asked.references.accept = true;
  const Evaluation made = evaluate(asked);
  ASSERT_FALSE(made.quality.empty());
  for (const QualityRow& row : made.quality) EXPECT_EQ(row.outcome, kLargeErrorOutcome);
  EXPECT_TRUE(made.dice_coverage.empty());
}

}  // namespace
}  // namespace mcvol
