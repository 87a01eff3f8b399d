#include "mcvol/files/text_file.h"
#include "mcvol/io/images/image_file.h"
#include "mcvol/pipeline/case_maps.h"
#include "mcvol/pipeline/merge.h"

#include <algorithm>
#include <cmath>

#include "pipeline/predict/predict_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using testing::Predict;

PredictOptions saving(PredictOptions options) {
  options.save = MapChoice::parse({"segmentation", "bounds"});
  return options;
}

bool has_maps(const fs::path& out, const CaseRecord& record) {
  return has_case_maps(out, record.case_id, MapsOrigin(record.run_identity, record.inputs),
                       MapChoice::parse({"segmentation", "bounds"}));
}

bool is_in(const std::string& text, const std::vector<std::string>& lines) {
  return std::any_of(lines.begin(), lines.end(),
                     [&](const std::string& line) { return line.find(text) != std::string::npos; });
}

double ml_of(const fs::path& file) {
  const Image<std::int32_t> image = read_label_map(file);
  return static_cast<double>(std::count(image.values.begin(), image.values.end(), 1)) *
         image.grid.voxel_volume_ml();
}

TEST_F(Predict, SavedImagesHaveTheVolumesOfTheTableWhichIsAsWithoutThem) {
  run(options("plain"));
  run(saving(options()));
  EXPECT_EQ(table(), table("plain"));
  for (const std::string case_id : {"case_a", "case_b", "case_c"}) {
    const fs::path maps = maps_folder(root_ / "out", case_id);
    for (const VolumeRow& row : rows_of(record(case_id), options().levels)) {
      const double voxel_ml = record(case_id).grid.voxel_volume_ml();
      EXPECT_NEAR(ml_of(maps / (row.region + ".nii.gz")), *row.segmented_ml, 1e-9);
      EXPECT_NEAR(ml_of(maps / (row.region + "_lower_" + row.level + ".nii.gz")), *row.raw_lower_ml,
                  0.51 * voxel_ml);
    }
  }
}

TEST_F(Predict, ResumedRunMakesSavedImagesThatAreMissing) {
  run(options());
  EXPECT_EQ(run(saving(options())).measured, 3);
  fs::remove(maps_folder(root_ / "out", "case_b") / "whole.nii.gz");
  const PredictOutcome outcome = run(saving(options()));
  EXPECT_EQ(outcome.measured, 1);
  EXPECT_EQ(outcome.kept, 2);
  EXPECT_TRUE(has_maps(root_ / "out", record("case_b")));
}

TEST_F(Predict, BoundsFollowTheLevelWithoutMeasuringAgain) {
  run(saving(options()));
  PredictOptions other = saving(options());
  other.levels = parse_levels({"0.5"});
  EXPECT_EQ(run(other).measured, 0);
  const fs::path maps = maps_folder(root_ / "out", "case_a");
  EXPECT_TRUE(fs::exists(maps / "whole_upper_0.5.nii.gz"));
  EXPECT_FALSE(fs::exists(maps / "whole_upper_0.9.nii.gz"));
}

TEST_F(Predict, MeasuredAgainWithoutSavingLeavesNoImagesOfEarlier) {
  run(saving(options()));
  PredictOptions fresh = options();
  fresh.fresh = true;
  run(fresh);
  EXPECT_FALSE(fs::exists(maps_folder(root_ / "out", "case_a")));
}

TEST_F(Predict, RunInterruptedBetweenRecordAndImagesMakesThem) {
  run(saving(options()));
  fs::remove_all(maps_folder(root_ / "out", "case_a"));
  EXPECT_EQ(run(saving(options())).measured, 1);
  EXPECT_TRUE(has_maps(root_ / "out", record("case_a")));
}

// Whose they are nothing says: they may be masks that somebody has drawn over.
TEST_F(Predict, ImagesWithoutTheirListAreLeftAlone) {
  run(saving(options()));
  const fs::path maps = maps_folder(root_ / "out", "case_a");
  fs::remove(maps / "maps.json");
  write_file_atomically(maps / "whole.nii.gz", "mine");
  EXPECT_EQ(run(saving(options())).measured, 1);
  ASSERT_FALSE(listener_.warnings.empty());
  EXPECT_EQ(listener_.warnings[0].find("case_a: measured, but without its saved images: "), 0u)
      << listener_.warnings[0];
  EXPECT_EQ(read_file(maps / "whole.nii.gz"), "mine");
  fs::remove_all(maps);
  EXPECT_EQ(run(saving(options())).measured, 1);
  EXPECT_TRUE(has_maps(root_ / "out", record("case_a")));
}

TEST_F(Predict, ResultsInsideTheFolderOfScansAreNotTakenForScans) {
  PredictOptions inside = saving(options());
  inside.output = root_ / "scans" / "results";
  EXPECT_EQ(run(inside).found, 3);
  EXPECT_EQ(run(inside).found, 3);
  EXPECT_EQ(run(inside).kept, 3);
}

TEST_F(Predict, ResultsInTheFolderOfScansItselfAreGoneOnWith) {
  PredictOptions same = saving(options());
  same.output = root_ / "scans";
  EXPECT_EQ(run(same).measured, 3);
  EXPECT_EQ(run(same).found, 3);
  EXPECT_EQ(run(same).kept, 3);
}

TEST_F(Predict, ADamagedListOfImagesIsMadeAnewAndEndsNoRun) {
  run(saving(options()));
  const fs::path list = maps_folder(root_ / "out", "case_a") / "maps.json";
  write_file_atomically(list, R"({"images": [1]})");
  EXPECT_EQ(run(options()).kept, 3);
  EXPECT_EQ(run(saving(options())).measured, 1);
  EXPECT_TRUE(has_maps(root_ / "out", record("case_a")));
}

TEST_F(Predict, ImagesThatADamagedListNoLongerNamesAreWarnedOf) {
  run(saving(options()));
  write_file_atomically(maps_folder(root_ / "out", "case_a") / "maps.json", "{");
  PredictOptions fresh = options();
  fresh.fresh = true;
  run(fresh);
  ASSERT_EQ(listener_.warnings.size(), 1U);
  EXPECT_TRUE(is_in("core.nii.gz (and 7 more): not of this measurement", listener_.warnings));
  EXPECT_TRUE(is_in("case_a: ", listener_.warnings));
}

TEST_F(Predict, BoundsFollowTheLevelWithoutBeingAskedForAgain) {
  run(saving(options()));
  PredictOptions other = options();
  other.levels = parse_levels({"0.5"});
  EXPECT_EQ(run(other).kept, 3);
  const fs::path maps = maps_folder(root_ / "out", "case_b");
  EXPECT_TRUE(fs::exists(maps / "whole_upper_0.5.nii.gz"));
  EXPECT_FALSE(fs::exists(maps / "whole_upper_0.9.nii.gz"));
  EXPECT_TRUE(has_maps(root_ / "out", record("case_b")));
}

TEST_F(Predict, ACaseWhoseProbabilityCannotBeReadIsMeasuredAgain) {
  run(saving(options()));
  write_file_atomically(maps_folder(root_ / "out", "case_b") / "whole_probability.nii.gz", "x");
  PredictOptions other = saving(options());
  other.levels = parse_levels({"0.5"});
  const PredictOutcome outcome = run(other);
  EXPECT_EQ(outcome.measured, 1);
  EXPECT_EQ(outcome.kept, 2);
  EXPECT_EQ(outcome.exit_code, ExitCode::kSuccess);
  EXPECT_TRUE(is_in("case_b: ", listener_.warnings));
  EXPECT_EQ(run_file().done, 3);
  EXPECT_EQ(run_file().levels.size(), 1U);
  for (const std::string case_id : {"case_a", "case_b", "case_c"}) {
    EXPECT_TRUE(fs::exists(maps_folder(root_ / "out", case_id) / "whole_upper_0.5.nii.gz"));
  }
}

TEST_F(Predict, WithoutSavingACaseWhoseBoundsCannotBeRenewedIsAWarning) {
  run(saving(options()));
  write_file_atomically(maps_folder(root_ / "out", "case_b") / "whole_probability.nii.gz", "x");
  PredictOptions other = options();
  other.levels = parse_levels({"0.5"});
  EXPECT_EQ(run(other).kept, 3);
  EXPECT_TRUE(is_in("case_b: its saved bounds", listener_.warnings));
}

TEST_F(Predict, AScanThatIsGoneBeforeItsImagesAreWrittenIsAWarning) {
  behaviour_->on_run = [&](int run) {
    if (run == 1) fs::remove_all(root_ / "scans" / "case_a");
  };
  const PredictOutcome outcome = run(saving(options()));
  EXPECT_EQ(outcome.measured, 3);
  EXPECT_EQ(outcome.exit_code, ExitCode::kSuccess);
  EXPECT_TRUE(is_in("case_a: measured, but without its saved images: ", listener_.warnings));
  EXPECT_FALSE(fs::exists(maps_folder(root_ / "out", "case_a")));
  EXPECT_TRUE(has_maps(root_ / "out", record("case_b")));
}

TEST_F(Predict, ImagesThatCannotBeMadeCostNoMeasurement) {
  services_.load_scan = [](auto&&... arguments) {
    PreparedScan scan = load_scan(arguments...);
    scan.own_grid.size[0] += 1;
    return scan;
  };
  const PredictOutcome outcome = run(saving(options()));
  EXPECT_EQ(outcome.measured, 3);
  EXPECT_TRUE(is_in("case_c: measured, but without its saved images: ", listener_.warnings));
  EXPECT_FALSE(fs::exists(root_ / "out" / "maps" / "case_c"));
}

TEST_F(Predict, AnImageThatCannotBeRemovedEndsTheRunBeforeItsRecordIsReplaced) {
  run(saving(options()));
  const std::string before = read_file(root_ / "out" / "cases" / "case_a.json");
  const fs::path image = maps_folder(root_ / "out", "case_a") / "whole.nii.gz";
  fs::remove(image);
  write_file_atomically(image / "x", "x");
  PredictOptions fresh = options();
  fresh.fresh = true;
  fresh.seed = 5;
  EXPECT_THROW(run(fresh), Error);
  EXPECT_EQ(read_file(root_ / "out" / "cases" / "case_a.json"), before);
}

TEST_F(Predict, TemporaryFilesOfImagesAreRemovedByTheNextRun) {
  run(saving(options()));
  const fs::path left = maps_folder(root_ / "out", "case_a") / ".whole.nii.gz.tmp-1-2";
  write_file_atomically(left, "x");
  run(options());
  EXPECT_FALSE(fs::exists(left));
}

TEST_F(Predict, MergingDrawsTheBoundsOfTheMergedTable) {
  run(saving(options("one")));
  PredictOptions none = options("two");
  none.levels = parse_levels({"0.5"});
  run(none);
  MergeOptions merge;
  merge.sources = {root_ / "one", root_ / "two"};
  merge.out = root_ / "out";
  EXPECT_TRUE(merge_results(merge).warnings.empty());
  const fs::path maps = maps_folder(root_ / "out", "case_a");
  EXPECT_TRUE(fs::exists(maps / "whole_upper_0.5.nii.gz"));
  EXPECT_TRUE(fs::exists(maps / "whole_upper_0.9.nii.gz"));
  merge.levels = parse_levels({"0.8"});
  merge_results(merge);
  EXPECT_TRUE(fs::exists(maps / "whole_upper_0.8.nii.gz"));
  EXPECT_FALSE(fs::exists(maps / "whole_upper_0.9.nii.gz"));
  EXPECT_TRUE(has_maps(root_ / "out", record("case_a")));
}

TEST_F(Predict, MergingPassesOverADamagedListOfImages) {
  run(saving(options("one")));
  write_file_atomically(maps_folder(root_ / "one", "case_a") / "maps.json", R"({"images": "x"})");
  MergeOptions merge;
  merge.sources = {root_ / "one"};
  merge.out = root_ / "out";
  EXPECT_EQ(merge_results(merge).done, 3);
  write_file_atomically(maps_folder(root_ / "out", "case_a") / "maps.json", R"({"images": [1]})");
  EXPECT_EQ(merge_results(merge).done, 3);
  EXPECT_FALSE(fs::exists(maps_folder(root_ / "out", "case_a")));
  write_file_atomically(maps_folder(root_ / "out", "case_a") / "whole.nii.gz", "x");
  EXPECT_TRUE(is_in("whole.nii.gz: not of this measurement", merge_results(merge).warnings));
  EXPECT_TRUE(has_maps(root_ / "out", record("case_b")));
}

}  // namespace
}  // namespace mcvol
