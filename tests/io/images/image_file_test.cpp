#include "mcvol/io/images/image_file.h"

#include "mcvol/io/images/image_header.h"

#include <cmath>
#include <cstdlib>
#include <map>
#include <numbers>

#include "io/images/nifti_fixture.h"
#include "io/images/sphere_fixture.h"
#include "support/shared_files.h"
#include <Eigen/Geometry>
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using test::gzipped;
using test::NiftiFixture;
using test::refusal_of;

class ImageFile : public test::InFolder {
 protected:
  /// Writes the values as `Value` and expects to read them, scaled, bit for bit.
  template <typename Value>
  void expect_read_as_written(int code, const std::vector<Value>& pattern, float slope = 1.0F,
                              float intercept = 0.0F) {
    for (const bool big_endian : {false, true}) {
      NiftiFixture fixture;
      fixture.big_endian = big_endian;
      fixture.slope = slope;
      fixture.intercept = intercept;
      std::vector<Value> values;
      for (std::size_t n = 0; n < 120; ++n) {
        values.push_back(pattern[n % pattern.size()]);
      }
      fixture.set_voxels(values, code);
      const Image<float> image = read_image(write("image.nii.gz", fixture));
      ASSERT_EQ(image.values.size(), values.size());
      for (std::size_t n = 0; n < values.size(); ++n) {
        const double expected = static_cast<double>(slope) * static_cast<double>(values[n]) +
                                static_cast<double>(intercept);
        EXPECT_EQ(image.values[n], static_cast<float>(expected)) << "voxel " << n;
      }
    }
  }
};

TEST_F(ImageFile, EveryTypeIsReadAsWritten) {
  expect_read_as_written<std::uint8_t>(2, {0, 1, 127, 128, 255});
  expect_read_as_written<std::int8_t>(256, {0, 1, 127, -128, -1});
  expect_read_as_written<std::int16_t>(4, {0, 1, 32767, -32768, -1});
  expect_read_as_written<std::uint16_t>(512, {0, 1, 32768, 65535});
  expect_read_as_written<std::int32_t>(8, {0, 1, 16777216, -16777216});
  expect_read_as_written<std::uint32_t>(768, {0, 1, 16777216, 2147483648U});
  expect_read_as_written<std::int64_t>(1024, {0, 1, 9007199254740992, -9007199254740992});
  expect_read_as_written<std::uint64_t>(1280, {0, 1, 9007199254740992U});
  expect_read_as_written<float>(16, {0.0F, 0.1F, -3.5e30F, 1e-30F});
  expect_read_as_written<double>(64, {0.0, 0.1, -3.5e30, 1.0 / 3.0});
}

TEST_F(ImageFile, IntegersThatADoubleDoesNotHoldAreRefused) {
  NiftiFixture fixture;
  std::vector<std::int64_t> values(120, 3);
  values[7] = 9007199254740994;
  fixture.set_voxels(values, 1024);
  EXPECT_EQ(refusal_of([&] { read_image(write("image.nii.gz", fixture)); }),
            "image.nii.gz: 1 of 120 voxels are integers beyond 2^53, expected intensities or "
            "labels; is this the right file?");
}

TEST_F(ImageFile, NiftiTwoHoldsTheSameVoxels) {
  for (const bool big_endian : {false, true}) {
    NiftiFixture fixture;
    fixture.version = 2;
    fixture.big_endian = big_endian;
    fixture.slope = 2.0F;
    std::vector<std::int16_t> values(120);
    for (std::size_t n = 0; n < values.size(); ++n) values[n] = static_cast<std::int16_t>(n);
    fixture.set_voxels(values, 4);
    for (const std::string name : {"image.nii", "image.nii.gz"}) {
      const Image<float> image = read_image(write(name, fixture));
      for (std::size_t n = 0; n < values.size(); ++n) {
        ASSERT_EQ(image.values[n], 2.0F * static_cast<float>(n));
      }
    }
  }
}

TEST_F(ImageFile, SlopeAndInterceptAreApplied) {
  expect_read_as_written<std::uint8_t>(2, {0, 1, 127, 128, 255}, 0.25F, -8.0F);
  expect_read_as_written<std::int16_t>(4, {0, 1, 32767, -32768, -1}, 0.5F, 1024.0F);
  expect_read_as_written<std::uint16_t>(512, {0, 1, 65535}, 2.0F, 0.0F);
  expect_read_as_written<float>(16, {0.0F, 0.5F, -3.5F}, -4.0F, 1.5F);
  expect_read_as_written<double>(64, {0.0, 0.5, -3.5}, 8.0F, 100.0F);
}

TEST_F(ImageFile, ASlopeOfNanScalesNothing) {
  NiftiFixture fixture;
  fixture.slope = std::nanf("");
  fixture.set_voxels(std::vector<std::int16_t>(120, 300), 4);
  EXPECT_EQ(read_image(write("image.nii", fixture)).values, std::vector<float>(120, 300.0F));
}

TEST_F(ImageFile, IRunsFastestThroughTheFile) {
  NiftiFixture fixture;
  std::vector<std::int16_t> values(120);
  for (std::int16_t n = 0; n < 120; ++n) {
    values[static_cast<std::size_t>(n)] = n;
  }
  fixture.set_voxels(values, 4);
  const Image<float> image = read_image(write("image.nii", fixture));
  EXPECT_EQ(image.at(3, 2, 1), 3.0F + 4.0F * 2.0F + 20.0F * 1.0F);
}

TEST_F(ImageFile, DimensionsOfOneAreKept) {
  for (const auto& dim : std::vector<std::vector<int>>{
           {3, 120, 1, 1}, {3, 10, 12, 1}, {3, 1, 10, 12}, {4, 4, 5, 6, 1}, {5, 4, 5, 6, 1, 1}}) {
    NiftiFixture fixture;
    fixture.dim = dim;
    fixture.set_voxels(std::vector<std::uint8_t>(120, 9), 2);
    const Image<float> image = read_image(write("image.nii", fixture));
    EXPECT_EQ(image.grid.size, (Index3{dim[1], dim[2], dim[3]}));
    EXPECT_EQ(image.values, std::vector<float>(120, 9.0F));
  }
}

TEST_F(ImageFile, TheGridIsTheSformsWhateverTheQformSays) {
  NiftiFixture fixture;
  fixture.sform_code = 4;
  fixture.qform_code = 1;
  fixture.srow = {0, 0, -1, 5, -1, 0, 0, 6, 0, 1, 0, 7};
  const Image<float> image = read_image(write("image.nii", fixture));
  EXPECT_EQ(orientation_of(image.grid), "PSL");
  EXPECT_EQ(image.grid.origin_mm, Eigen::Vector3d(-5, -6, 7));
}

TEST_F(ImageFile, ASlightlyShearedSformIsReadAsItIs) {
  NiftiFixture fixture;
  fixture.srow[1] = 5e-4F;  // what a registration written in single precision may leave
  EXPECT_EQ(read_image(write("image.nii", fixture)).values.size(), 120U);
}

TEST_F(ImageFile, TruncatedNanAndUnreadableFilesAreRefused) {
  NiftiFixture fixture;
  const std::string packed = gzipped(fixture.bytes());
  const auto cut = write("cut.nii.gz", packed.substr(0, packed.size() - 9));
  EXPECT_EQ(refusal_of([&] { read_image(cut); }),
            "cut.nii.gz: truncated, the compressed data end too early; copy it again");
  std::vector<float> values(120, 1.0F);
  values[5] = std::nanf("");
  fixture.set_voxels(values, 16);
  const auto nan = write("nan.nii.gz", fixture);
  EXPECT_EQ(refusal_of([&] { read_image(nan); }),
            "nan.nii.gz: 1 of 120 voxels are NaN or infinite, expected finite intensities; "
            "replace them by 0 if they are background");
}

TEST_F(ImageFile, ValuesThatOverflowWhenScaledAreRefused) {
  NiftiFixture fixture;
  fixture.slope = 1e30F;
  fixture.set_voxels(std::vector<float>(120, 1e30F), 16);
  const auto path = write("large.nii", fixture);
  EXPECT_EQ(refusal_of([&] { read_image(path); }),
            "large.nii: 120 of 120 voxels exceed single precision once scaled; check scl_slope");
}

TEST_F(ImageFile, LabelMapsAreIntegersToAThousandth) {
  NiftiFixture fixture;
  std::vector<float> values(120, 0.0F);
  values[1] = 3.9995F;
  values[2] = -2.0F;
  fixture.set_voxels(values, 16);
  const Image<std::int32_t> labels = read_label_map(write("seg.nii.gz", fixture));
  EXPECT_EQ(labels.values[1], 4);
  EXPECT_EQ(labels.values[2], -2);
  EXPECT_EQ(labels.values[0], 0);
  values[3] = 0.25F;
  fixture.set_voxels(values, 16);
  const auto path = write("seg.nii.gz", fixture);
  EXPECT_EQ(refusal_of([&] { read_label_map(path); }),
            "seg.nii.gz: value 0.25 in a label map, expected integers up to 1000000; is this "
            "the right file?");
}

TEST_F(ImageFile, WrittenImagesAreReadBackExactly) {
  Grid grid;
  grid.size = {7, 6, 5};
  grid.spacing_mm = {0.5, 1.25, 3.0};
  grid.origin_mm = {12.5, -7.25, 100.0};
  for (const Eigen::Vector3d& mirrored : {Eigen::Vector3d(1, 1, 1), Eigen::Vector3d(1, 1, -1)}) {
    grid.direction =
        Eigen::AngleAxisd(2.8, Eigen::Vector3d(3, -1, 2).normalized()).toRotationMatrix() *
        mirrored.asDiagonal();
    Image<float> image(grid);
    Image<std::uint8_t> mask(grid);
    for (std::size_t voxel = 0; voxel < image.values.size(); ++voxel) {
      image.values[voxel] = 0.1F * static_cast<float>(voxel);
      mask.values[voxel] = static_cast<std::uint8_t>(voxel);
    }
    for (const std::string name : {"image.nii", "image.nii.gz"}) {
      write_image(folder_ / name, image);
      EXPECT_EQ(read_image(folder_ / name).values, image.values);
      EXPECT_TRUE(same_grid(read_image(folder_ / name).grid, grid, 1e-4));
      write_image(folder_ / name, mask);
      EXPECT_EQ(read_image(folder_ / name).values[200], 200.0F);
    }
    // The qform alone says the same.
    std::string bytes = test::file_bytes(folder_ / "image.nii");
    bytes[254] = 0;  // sform_code
    EXPECT_TRUE(same_grid(read_image_header(write("qform.nii", bytes)).grid, grid, 1e-4));
  }
}

TEST_F(ImageFile, AFileOfTheSameNameButForGzDoesNotStandInForIt) {
  NiftiFixture fixture;
  fixture.set_voxels(std::vector<std::uint8_t>(120, 1), 2);
  const auto plain = write("image.nii", fixture);
  fixture.set_voxels(std::vector<std::uint8_t>(120, 2), 2);
  const auto packed = write("image.nii.gz", fixture);
  EXPECT_EQ(read_image(plain).values[0], 1.0F);
  EXPECT_EQ(read_image(packed).values[0], 2.0F);
}

TEST_F(ImageFile, HeaderExtensionsAreSkippedAndWhatFollowsTheVoxelsIsIgnored) {
  NiftiFixture fixture;
  fixture.vox_offset = 1000.0F;
  fixture.set_voxels(std::vector<std::uint8_t>(120, 7), 2);
  const auto path = write("image.nii.gz", gzipped(fixture.bytes() + "trailing"));
  EXPECT_EQ(read_image(path).values, std::vector<float>(120, 7.0F));
}

TEST_F(ImageFile, TheSameImageGivesTheSameBytesAndNothingElseIsLeft) {
  Grid grid;
  grid.size = {30, 30, 30};
  const Image<float> image(grid, 1.5F);
  write_image(folder_ / "a.nii.gz", image);
  write_image(folder_ / "b.nii.gz", image);
  EXPECT_EQ(test::file_bytes(folder_ / "a.nii.gz"), test::file_bytes(folder_ / "b.nii.gz"));
  const auto entries = std::filesystem::directory_iterator(folder_);
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 2);
}

TEST_F(ImageFile, AnImageLikeAnotherHasItsSformQformCodesAndUnitAsTheyStandThere) {
  NiftiFixture fixture;
  fixture.pixdim = {-1, 2000, 3000, 4000, 1, 1, 1, 1};
  fixture.units = 3;  // micron
  fixture.qform_code = 3;
  fixture.sform_code = 0;
  fixture.quaternion_and_offset = {0.3F, -0.2F, 0.4F, 1100, 1200, 1300};
  fixture.srow = {7, 1, 2, 3, 4, 7, 5, 6, 1, 2, 7, 3};  // counts for nothing, and is kept
  for (const bool big_endian : {false, true}) {
    fixture.big_endian = big_endian;
    const auto source = write("scan.nii", fixture);
    const Grid grid = read_image_header(source).grid;
    write_image_like(folder_ / "set.nii", Image<std::uint8_t>(grid, 1), source);
    fixture.big_endian = false;
    const std::string wanted = fixture.bytes(), found = test::file_bytes(folder_ / "set.nii");
    EXPECT_EQ(found.substr(76, 16), wanted.substr(76, 16));     // qfac and voxel size
    EXPECT_EQ(found[123] & 7, 3);                               // unit of length
    EXPECT_EQ(found.substr(252, 76), wanted.substr(252, 76));   // codes and transforms
    EXPECT_EQ(found.substr(148, 104), std::string(104, '\0'));  // description, auxiliary file
    EXPECT_TRUE(same_grid(read_image_header(folder_ / "set.nii").grid, grid, 0));
    Image<std::uint16_t> steps(grid, 3);
    write_image_like(folder_ / "steps.nii.gz", steps, source, 0.25);
    EXPECT_EQ(read_image(folder_ / "steps.nii.gz").values, std::vector<float>(120, 0.75F));
  }
  Grid other;
  other.size = {4, 5, 7};
  EXPECT_NE(refusal_of([&] {
              write_image_like(folder_ / "b.nii", Image<std::uint8_t>(other), folder_ / "scan.nii");
            }).find("expected the size of b.nii"),
            std::string::npos);
}

TEST_F(ImageFile, AnImageTooLongForTheFormatIsRefusedOnWriting) {
  Grid grid;
  grid.size = {40000, 1, 1};
  EXPECT_THROW(write_image(folder_ / "long.nii", Image<float>(grid)), Error);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "long.nii"));
}

TEST(SharedScan, ReferenceVolumesOfTheLabelMapAreThoseMeasured) {
  const auto shared = testing::shared_folder();
  if (!shared) {
    GTEST_SKIP() << "MCVOL_SHARED names no folder";
  }
  const Image<std::int32_t> labels =
      read_label_map(*shared / "data/brats2021_00006/BraTS2021_00006_seg.nii.gz");
  std::map<std::int32_t, std::int64_t> count;
  for (const std::int32_t label : labels.values) {
    ++count[label];
  }
  const double voxel_ml = labels.grid.voxel_volume_ml();
  EXPECT_NEAR(static_cast<double>(count[1] + count[2] + count[4]) * voxel_ml, 137.911, 1e-3);
  EXPECT_NEAR(static_cast<double>(count[1] + count[4]) * voxel_ml, 51.954, 1e-3);
  EXPECT_NEAR(static_cast<double>(count[4]) * voxel_ml, 26.448, 1e-3);
  EXPECT_EQ(describe(labels.grid), "240x240x155 voxels of 1x1x1 mm, LPS");
}

}  // namespace
}  // namespace mcvol
