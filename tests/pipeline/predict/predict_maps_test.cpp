#include "mcvol/files/text_file.h"
#include "mcvol/io/images/image_file.h"
#include "mcvol/pipeline/case_maps.h"

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
  EXPECT_TRUE(has_case_maps(root_ / "out", "case_b", saving(options()).save));
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
  fs::remove(maps_folder(root_ / "out", "case_a") / "maps.json");
  EXPECT_EQ(run(saving(options())).measured, 1);
  EXPECT_TRUE(has_case_maps(root_ / "out", "case_a", saving(options()).save));
}

TEST_F(Predict, ResultsInsideTheFolderOfScansAreNotTakenForScans) {
  PredictOptions inside = saving(options());
  inside.output = root_ / "scans" / "results";
  EXPECT_EQ(run(inside).found, 3);
  EXPECT_EQ(run(inside).found, 3);
  EXPECT_EQ(run(inside).kept, 3);
}

}  // namespace
}  // namespace mcvol
