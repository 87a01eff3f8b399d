#include "mcvol/files/text_file.h"
#include "mcvol/io/images/image_file.h"
#include "mcvol/io/images/image_header.h"

#include "io/images/nifti_fixture.h"
#include "pipeline/predict/predict_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using testing::Predict;

/// The three scans of the fixture once more, each as one file: FLAIR first, then T1.
class Predict4d : public Predict {
 protected:
  void SetUp() override {
    Predict::SetUp();
    for (const char* case_id : {"case_a", "case_b", "case_c"}) pack(case_id);
    testing::write_fake_bundle(root_ / "model_4d", [](nlohmann::json& model) {
      model["format"] = 2;
      model["channels"][0]["index_4d"] = 1;
      model["channels"][1]["index_4d"] = 0;
    });
  }

  fs::path packed(const std::string& case_id) const {
    return root_ / "Task01" / "imagesTr" / (case_id + ".nii.gz");
  }

  void pack(const std::string& case_id) const {
    const fs::path folder = root_ / "scans" / case_id;
    std::vector<float> values;
    test::NiftiFixture fixture;
    for (const char* channel : {"_flair.nii.gz", "_t1.nii.gz"}) {
      const Image<float> image = read_image(folder / (case_id + channel));
      values.insert(values.end(), image.values.begin(), image.values.end());
      fixture.set_grid(image.grid);
    }
    fixture.dim[0] = 4;
    fixture.dim.push_back(2);
    fixture.set_voxels(values, 16);
    write_file_atomically(packed(case_id), test::gzipped(fixture.bytes()));
  }

  void expect_volumes_of_single_files(const std::string& out) {
    for (const char* case_id : {"case_a", "case_b", "case_c"}) {
      const CaseRecord apart = record(case_id);
      const CaseRecord together = read_case_record(root_ / out, case_id);
      ASSERT_EQ(together.regions.size(), apart.regions.size()) << together.error;
      for (std::size_t n = 0; n < apart.regions.size(); ++n) {
        EXPECT_EQ(together.regions[n].passes, apart.regions[n].passes) << case_id;
        EXPECT_EQ(together.regions[n].mean, apart.regions[n].mean) << case_id;
      }
    }
  }
};

TEST_F(Predict4d, ChannelsOfOneFileAreMeasuredAsInFilesOfTheirOwn) {
  run(options());
  PredictOptions together = options("out_4d");
  together.scans = {root_ / "Task01"};
  together.model = root_ / "model_4d";
  together.save.segmentation = true;
  EXPECT_EQ(run(together).exit_code, ExitCode::kSuccess);
  expect_volumes_of_single_files("out_4d");
  const CaseRecord record = read_case_record(root_ / "out_4d", "case_a");
  EXPECT_EQ(record.inputs[0].file_name, "case_a.nii.gz");
  EXPECT_EQ(record.inputs[0].index, 1);
  EXPECT_EQ(record.inputs[1].index, 0);
  const ImageHeader saved =
      read_image_header(root_ / "out_4d" / "maps" / "case_a" / "whole.nii.gz");
  EXPECT_TRUE(same_grid(saved.grid, record.grid));
  EXPECT_EQ(run(together).kept, 3);
}

TEST_F(Predict4d, AManifestNamesTheImagesAndOtherImagesAreAnotherMeasurement) {
  run(options());
  const auto write_manifest = [&](const std::string& t1, const std::string& flair) {
    std::string text = "case_id,t1,flair\n";
    for (const std::string case_id : {"case_a", "case_b", "case_c"}) {
      const std::string file = packed(case_id).string();
      text += case_id + "," + file + t1 + "," + file + flair + "\n";
    }
    write_file_atomically(root_ / "list.csv", text);
  };
  PredictOptions together = options("out_4d");
  together.scans = {root_ / "list.csv"};
  write_manifest("[1]", "[0]");
  EXPECT_EQ(run(together).measured, 3);
  expect_volumes_of_single_files("out_4d");
  write_manifest("[0]", "[1]");
  EXPECT_EQ(run(together).measured, 3);
  write_manifest("[0]", "[2]");
  EXPECT_EQ(run(together).failed, 3);
  EXPECT_EQ(read_case_record(root_ / "out_4d", "case_a").error,
            "case_a.nii.gz: 4-D image (12x12x12x2), in which there is no case_a.nii.gz[2], "
            "expected an index from 0 to 1");
}

TEST_F(Predict4d, TheSameImageTwiceInOneFileIsRefused) {
  fs::remove(root_ / "scans" / "case_a" / "case_a_flair.nii.gz");
  fs::copy(root_ / "scans" / "case_a" / "case_a_t1.nii.gz",
           root_ / "scans" / "case_a" / "case_a_flair.nii.gz");
  pack("case_a");
  PredictOptions together = options("out_4d");
  together.scans = {root_ / "Task01"};
  together.model = root_ / "model_4d";
  EXPECT_EQ(run(together).exit_code, ExitCode::kScanFailed);
  EXPECT_EQ(read_case_record(root_ / "out_4d", "case_a").error,
            "case_a.nii.gz[0]: the same image as case_a.nii.gz[1], voxel by voxel, expected "
            "another for each channel; put the right file in its place");
}

}  // namespace
}  // namespace mcvol
