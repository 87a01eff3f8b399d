#include "mcvol/pipeline/draw_maps.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"
#include "mcvol/io/images/image_file.h"
#include "mcvol/io/records/run_lock.h"
#include "mcvol/pipeline/case_maps.h"

#include <algorithm>

#include "pipeline/predict/predict_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using testing::Predict;

/// Runs of Predict's three cases, whose scans and model are gone when images are drawn.
class DrawMaps : public Predict {
 protected:
  void measure(const std::string& kinds) {
    PredictOptions with = options();
    with.save = MapChoice::parse({kinds});
    run(with);
    fs::rename(root_ / "scans", root_ / "scans_elsewhere");
    fs::rename(root_ / "model", root_ / "model_elsewhere");
  }
  DrawMapsReport draw(const std::string& kinds, const std::vector<std::string>& levels = {}) const {
    DrawMapsOptions options;
    options.results = root_ / "out";
    options.save = MapChoice::parse({kinds});
    options.levels = parse_levels(levels);
    return draw_maps(options);
  }
  fs::path maps(const std::string& case_id) const { return maps_folder(root_ / "out", case_id); }
  bool has(const std::string& case_id, const std::string& name) const {
    return fs::exists(maps(case_id) / (name + ".nii.gz"));
  }
};

TEST_F(DrawMaps, GivesTheBytesThatTheRunWouldHaveSaved) {
  const std::string derived = "segmentation,bounds,labels,entropy";
  PredictOptions at_once = options("at_once");
  at_once.save = MapChoice::parse({derived});
  run(at_once);
  measure("probability");
  const DrawMapsReport report = draw(derived);
  EXPECT_EQ(report.drawn, 3);
  EXPECT_TRUE(report.without.empty());
  int compared = 0;
  for (const std::string case_id : {"case_a", "case_b", "case_c"}) {
    for (const fs::directory_entry& file :
         fs::directory_iterator(maps_folder(root_ / "at_once", case_id))) {
      const std::string name = file.path().filename().string();
      if (name == "maps.json") continue;  // its order is another
      EXPECT_EQ(read_file(file.path()), read_file(maps(case_id) / name)) << name;
      ++compared;
    }
    EXPECT_TRUE(unlisted_images(root_ / "out", case_id).empty());
  }
  EXPECT_EQ(compared, 3 * 11);
  EXPECT_EQ(draw(derived).kept, 3);
}

TEST_F(DrawMaps, WhatIsDrawnIsFoundByTheRunThatGoesOn) {
  measure("probability");
  draw("segmentation,bounds,labels");
  fs::rename(root_ / "scans_elsewhere", root_ / "scans");
  fs::rename(root_ / "model_elsewhere", root_ / "model");
  PredictOptions with = options();
  with.save = MapChoice::parse({"segmentation,bounds,labels,probability"});
  EXPECT_EQ(run(with).kept, 3);
}

TEST_F(DrawMaps, BoundsOfAnotherLevelTakeThePlaceOfThoseThere) {
  measure("bounds,sd");
  draw("bounds", {"0.5", "0.8"});
  EXPECT_TRUE(has("case_b", "core_lower_0.5") && has("case_b", "core_upper_0.8"));
  EXPECT_FALSE(has("case_b", "core_upper_0.9"));
  EXPECT_TRUE(has("case_b", "core_sd"));
  const VolumeRow row = rows_of(record("case_b"), parse_levels({"0.8"})).front();
  const Image<std::int32_t> upper = read_label_map(maps("case_b") / "whole_upper_0.8.nii.gz");
  EXPECT_NEAR(static_cast<double>(std::count(upper.values.begin(), upper.values.end(), 1)) *
                  upper.grid.voxel_volume_ml(),
              *row.raw_upper_ml, 0.51 * upper.grid.voxel_volume_ml());
  EXPECT_TRUE(draw("segmentation").without.empty()) << "others leave bounds as they are";
  EXPECT_TRUE(has("case_b", "core_lower_0.5"));
}

TEST_F(DrawMaps, WhatNeedsPassesIsSaidWithTheLineToRunAndTheRestIsDrawn) {
  measure("probability,entropy");
  const DrawMapsReport report = draw("segmentation,sd,agreement");
  ASSERT_EQ(report.without.size(), 3U);
  EXPECT_EQ(report.without[0],
            "case_a: sd,agreement cannot be made of what is saved; measure the case again: mcvol "
            "predict SCANS --model DIR --out " +
                (root_ / "out").string() +
                " --save segmentation,probability,sd,agreement,entropy, with the run's other "
                "options");
  EXPECT_TRUE(has("case_a", "whole"));
}

TEST_F(DrawMaps, WithoutASavedProbabilityThereIsNothingToDrawFrom) {
  measure("segmentation,sd");
  EXPECT_EQ(draw("segmentation,sd").kept, 3);
  const DrawMapsReport report = draw("segmentation,labels");
  ASSERT_EQ(report.without.size(), 3U);
  EXPECT_EQ(report.without[1].find("case_b: labels cannot be made of what is saved"), 0U);
  EXPECT_NE(report.without[1].find("--save segmentation,sd,labels"), std::string::npos);
  EXPECT_FALSE(has("case_b", "labels"));
}

TEST_F(DrawMaps, OfACaseWithoutAnyImagesEverythingIsMissing) {
  measure("probability");
  fs::remove_all(maps("case_c"));
  const DrawMapsReport report = draw("segmentation");
  EXPECT_EQ(report.drawn, 2);
  ASSERT_EQ(report.without.size(), 1U);
  EXPECT_EQ(report.without[0].find("case_c: segmentation cannot be made"), 0U);
}

TEST_F(DrawMaps, AProbabilityThatCannotBeReadCostsItsCaseOnly) {
  measure("probability");
  write_file_atomically(maps("case_b") / "core_probability.nii.gz", "x");
  const std::string list = read_file(maps("case_b") / "maps.json");
  const DrawMapsReport report = draw("labels");
  EXPECT_EQ(report.drawn, 2);
  ASSERT_EQ(report.without.size(), 1U);
  EXPECT_NE(report.without[0].find("core_probability.nii.gz"), std::string::npos);
  EXPECT_NE(report.without[0].find("remove it and measure the case again"), std::string::npos);
  EXPECT_EQ(read_file(maps("case_b") / "maps.json"), list);
}

TEST_F(DrawMaps, FailedCasesAndRecordsThatCannotBeReadAreTold) {
  write_file_atomically(root_ / "scans" / "case_a" / "case_a_t1.nii.gz", "no image");
  measure("probability");
  write_file_atomically(root_ / "out" / "cases" / "case_c.json", "{");
  const DrawMapsReport report = draw("segmentation");
  EXPECT_EQ(report.drawn, 1);
  ASSERT_EQ(report.without.size(), 1U);
  EXPECT_EQ(report.without[0].find("case_a: failed when it was measured: "), 0U);
  ASSERT_EQ(report.unreadable.size(), 1U);
  EXPECT_NE(report.unreadable[0].find("case_c"), std::string::npos);
}

TEST_F(DrawMaps, OnlyTheCasesNamedAreDrawnAndOthersThanThoseRecordedRefused) {
  measure("probability");
  DrawMapsOptions options;
  options.results = root_ / "out";
  options.save = MapChoice::parse({"segmentation"});
  options.cases = {"case_b"};
  EXPECT_EQ(draw_maps(options).drawn, 1);
  EXPECT_TRUE(has("case_b", "core"));
  EXPECT_FALSE(has("case_a", "core"));
  options.cases = {"case_a", "case_x"};
  EXPECT_THROW(draw_maps(options), UsageError);
  EXPECT_FALSE(has("case_a", "core"));
}

TEST_F(DrawMaps, FolderThatIsHeldOrHasNoResultsIsLeftAlone) {
  measure("probability");
  {
    const RunLock lock(root_ / "out");
    EXPECT_THROW(draw("segmentation"), FolderLockedError);
  }
  DrawMapsOptions options;
  options.results = root_ / "nothing";
  options.save = MapChoice::parse({"segmentation"});
  EXPECT_THROW(draw_maps(options), UsageError);
  EXPECT_FALSE(fs::exists(root_ / "nothing"));
}

TEST_F(DrawMaps, WhatAKilledDrawingLeftIsMadeWhole) {
  measure("probability");
  draw("segmentation,entropy");
  nlohmann::json list = nlohmann::json::parse(read_file(maps("case_a") / "maps.json"));
  list["complete"] = false;
  write_file_atomically(maps("case_a") / "maps.json", list.dump());
  fs::remove(maps("case_a") / "whole_entropy.nii.gz");
  EXPECT_EQ(draw("segmentation").without.size(), 1U) << "an image that is listed never came";
  EXPECT_EQ(draw("segmentation,entropy").drawn, 1);
  EXPECT_TRUE(has("case_a", "whole_entropy"));
  EXPECT_EQ(draw("segmentation,entropy").kept, 3);
}

}  // namespace
}  // namespace mcvol
