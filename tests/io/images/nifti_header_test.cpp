#include "mcvol/io/images/image_file.h"
#include "mcvol/io/images/image_header.h"

#include <limits>

#include "io/images/nifti_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using test::gzipped;
using test::NiftiFixture;
using test::refusal_of;

class NiftiHeaderFile : public test::InFolder {
 protected:
  ImageHeader header_of(const NiftiFixture& fixture) {
    return read_image_header(write("image.nii", fixture));
  }
  std::string header_refusal(const NiftiFixture& fixture) {
    const auto path = write("image.nii", fixture);
    return refusal_of([&] { read_image_header(path); });
  }
  std::string named_refusal(const std::string& name, const std::string& bytes) {
    const auto path = write(name, bytes);
    return refusal_of([&] { read_image(path); });
  }
};

TEST_F(NiftiHeaderFile, SizeSpacingAndStorageAreReadFromPlainAndCompressedFiles) {
  NiftiFixture fixture;
  fixture.set_voxels(std::vector<std::int16_t>(120), 4);
  fixture.slope = 0.5F;
  fixture.intercept = -3.0F;
  for (const std::string name : {"image.nii", "image.nii.gz"}) {
    const ImageHeader header = read_image_header(write(name, fixture));
    EXPECT_EQ(header.grid.size, (Index3{4, 5, 6}));
    EXPECT_EQ(header.grid.spacing_mm, Eigen::Vector3d::Ones());
    EXPECT_EQ(header.type, VoxelType::kInt16);
    EXPECT_EQ(header.format, ImageFormat::kNifti1);
    EXPECT_EQ(header.slope, 0.5);
    EXPECT_EQ(header.intercept, -3.0);
    EXPECT_EQ(orientation_of(header.grid), "RAS");
  }
}

TEST_F(NiftiHeaderFile, NiftiTwoSaysTheSame) {
  for (const bool big_endian : {false, true}) {
    NiftiFixture fixture;
    fixture.big_endian = big_endian;
    fixture.set_voxels(std::vector<std::uint8_t>(120), 2);
    fixture.slope = 0.5F;
    fixture.intercept = -3.0F;
    fixture.pixdim = {-1, 2, 3, 4, 1, 1, 1, 1};
    fixture.srow = {0, -3, 0, 10, 2, 0, 0, 20, 0, 0, 4, 30};
    fixture.quaternion_and_offset = {0.3F, -0.2F, 0.4F, 11, 12, 13};
    for (const auto& [qform_code, sform_code] : {std::pair{0, 2}, {1, 0}, {0, 0}}) {
      fixture.qform_code = qform_code;
      fixture.sform_code = sform_code;
      fixture.version = 1;
      const ImageHeader first = header_of(fixture);
      fixture.version = 2;
      const ImageHeader second = header_of(fixture);
      EXPECT_EQ(second.format, ImageFormat::kNifti2);
      EXPECT_EQ(second.type, VoxelType::kUint8);
      EXPECT_EQ(second.grid.size, first.grid.size);
      EXPECT_TRUE(same_grid(second.grid, first.grid, 1e-12));
      EXPECT_EQ(second.orientation_known, first.orientation_known);
      EXPECT_EQ(second.slope, 0.5);
      EXPECT_EQ(second.intercept, -3.0);
    }
  }
}

TEST_F(NiftiHeaderFile, RefusesADamagedNiftiTwo) {
  NiftiFixture fixture;
  fixture.version = 2;
  std::string bytes = fixture.bytes();
  EXPECT_EQ(named_refusal("cut.nii", bytes.substr(0, 400)),
            "cut.nii: truncated: 400 bytes, less than a NIfTI-2 header of 540");
  bytes[8] = ' ';  // as a transfer of text leaves it
  EXPECT_EQ(named_refusal("text.nii", bytes),
            "text.nii: damaged: a NIfTI-2 header without its \"n+2\"; copy it again");
  fixture.dim = {3, 4, 5, -6};
  EXPECT_EQ(header_refusal(fixture),
            "image.nii: damaged header: dimension 3 has -6 voxels, expected at least 1");
}

TEST_F(NiftiHeaderFile, TheOtherEndiannessIsRecognised) {
  NiftiFixture fixture;
  fixture.big_endian = true;
  const ImageHeader header = header_of(fixture);
  EXPECT_EQ(header.grid.size, (Index3{4, 5, 6}));
  EXPECT_EQ(header.type, VoxelType::kFloat32);
}

TEST_F(NiftiHeaderFile, TrailingDimensionsOfOneAreThreeDimensional) {
  NiftiFixture fixture;
  fixture.dim = {5, 4, 5, 6, 1, 1};
  EXPECT_EQ(header_of(fixture).grid.size, (Index3{4, 5, 6}));
}

TEST_F(NiftiHeaderFile, ASlopeOfZeroOrNanScalesNothing) {
  for (const float slope : {0.0F, std::numeric_limits<float>::quiet_NaN()}) {
    NiftiFixture fixture;
    fixture.slope = slope;
    fixture.intercept = 7.0F;
    EXPECT_EQ(header_of(fixture).slope, 1.0);
    EXPECT_EQ(header_of(fixture).intercept, 0.0);
  }
}

// nibabel 5: header.get_best_affine() of this qform, first two rows times -1.
TEST_F(NiftiHeaderFile, AnObliqueLeftHandedQformMatchesNibabel) {
  NiftiFixture fixture;
  fixture.sform_code = 0;
  fixture.qform_code = 1;
  fixture.pixdim = {-1.0F, 0.9F, 1.1F, 3.0F, 1, 1, 1, 1};
  fixture.quaternion_and_offset = {
      0.06612148880958557F, 0.13224297761917114F, 0.1983644664287567F, 10.0F, -20.0F, 30.0F};
  const ImageHeader header = header_of(fixture);
  Eigen::Matrix3d expected;
  expected << -0.886326667, 0.366907386, 0.282496035, -0.401883796, -0.912558974, -0.075667248,
      -0.23003142, 0.180596479, -0.956279487;
  EXPECT_LT((header.grid.direction - expected).cwiseAbs().maxCoeff(), 1e-7);
  EXPECT_LT((header.grid.spacing_mm - Eigen::Vector3d(0.9, 1.1, 3.0)).norm(), 1e-6);
  EXPECT_EQ(header.grid.origin_mm, Eigen::Vector3d(-10.0, 20.0, 30.0));
  EXPECT_EQ(orientation_of(header.grid), "RAI");
  EXPECT_TRUE(header.orientation_known);
}

TEST_F(NiftiHeaderFile, AHalfTurnThatSinglePrecisionOverstatesIsStillARotation) {
  NiftiFixture fixture;
  fixture.sform_code = 0;
  fixture.qform_code = 1;
  fixture.quaternion_and_offset = {0.70710685F, 0.70710685F, 0, 0, 0, 0};
  // Half a turn about (1, 1, 0) swaps x and y and reverses z: RAS indices become A, R, I.
  EXPECT_EQ(orientation_of(header_of(fixture).grid), "ARI");
  EXPECT_LT((header_of(fixture).grid.direction.cwiseAbs().rowwise().sum() - Eigen::Vector3d::Ones())
                .norm(),
            1e-9);
}

TEST_F(NiftiHeaderFile, TheSformWinsOverAQformElsewhere) {
  NiftiFixture fixture;
  fixture.qform_code = 1;
  fixture.quaternion_and_offset = {0, 0, 1, 100, 0, 0};  // half a turn about z
  const ImageHeader header = header_of(fixture);
  EXPECT_EQ(orientation_of(header.grid), "RAS");
  EXPECT_EQ(header.grid.origin_mm, Eigen::Vector3d::Zero());
}

TEST_F(NiftiHeaderFile, WithoutSformAndQformTheOrientationIsUnknownButNotTheSpacing) {
  NiftiFixture fixture;
  fixture.sform_code = 0;
  fixture.pixdim = {1, 1, 2, 3, 1, 1, 1, 1};
  const ImageHeader header = header_of(fixture);
  EXPECT_FALSE(header.orientation_known);
  EXPECT_DOUBLE_EQ(header.grid.voxel_volume_ml(), 0.006);
}

TEST_F(NiftiHeaderFile, MetresAndMicronsBecomeMillimetres) {
  NiftiFixture fixture;
  fixture.units = 3;
  fixture.pixdim = {1, 500, 500, 500, 1, 1, 1, 1};
  fixture.srow = {500, 0, 0, 2000, 0, 500, 0, 0, 0, 0, 500, 0};
  const ImageHeader header = header_of(fixture);
  EXPECT_LT((header.grid.spacing_mm - Eigen::Vector3d(0.5, 0.5, 0.5)).norm(), 1e-12);
  EXPECT_NEAR(header.grid.origin_mm[0], -2.0, 1e-12);
}

TEST_F(NiftiHeaderFile, RefusesFourDimensions) {
  NiftiFixture fixture;
  fixture.dim = {4, 240, 240, 155, 2};
  const auto path = write("case_07_flair.nii.gz", fixture);
  EXPECT_EQ(
      refusal_of([&] { read_image_header(path); }),
      "case_07_flair.nii.gz: 4-D image (240x240x155x2), expected 3-D; name the image to take of "
      "it in a manifest, as case_07_flair.nii.gz[0], or split it");
  fixture.dim = {5, 240, 240, 155, 1, 3};
  EXPECT_EQ(header_refusal(fixture),
            "image.nii: 5-D image (240x240x155x1x3), expected 3-D; split it");
}

TEST_F(NiftiHeaderFile, RefusesTwoDimensions) {
  NiftiFixture fixture;
  fixture.dim = {2, 240, 240};
  EXPECT_EQ(header_refusal(fixture),
            "image.nii: 2-D image (240x240), expected 3-D; is this the right file?");
}

TEST_F(NiftiHeaderFile, RefusesDamagedAndAbsurdSizes) {
  NiftiFixture fixture;
  fixture.dim = {3, 4, 0, 6};
  EXPECT_EQ(header_refusal(fixture),
            "image.nii: damaged header: dimension 2 has 0 voxels, expected at least 1");
  fixture.dim = {9, 4, 5, 6};
  EXPECT_EQ(header_refusal(fixture), "image.nii: damaged header: 9 dimensions, expected 3");
  fixture.dim = {3, 30000, 30000, 30000};
  EXPECT_EQ(header_refusal(fixture),
            "image.nii: claims 30000x30000x30000 voxels, more than the 2^32 that can be read; "
            "damaged?");
}

TEST_F(NiftiHeaderFile, RefusesTypesThatAreNoPlainNumberByName) {
  for (const auto& [code, name] :
       std::vector<std::pair<int, std::string>>{{1, "binary"},
                                                {32, "complex64"},
                                                {128, "RGB"},
                                                {1536, "float128"},
                                                {1792, "complex128"},
                                                {2304, "RGBA"},
                                                {77, "unknown (code 77)"}}) {
    NiftiFixture fixture;
    fixture.datatype = code;
    EXPECT_EQ(header_refusal(fixture),
              "image.nii: voxels of type " + name +
                  ", expected integers of 8 to 64 bits or 32 or 64-bit floats; save it as one of "
                  "these, for example float32");
  }
}

TEST_F(NiftiHeaderFile, RefusesAVoxelSizeThatIsNoLength) {
  NiftiFixture fixture;
  fixture.pixdim[2] = 0.0F;
  EXPECT_EQ(header_refusal(fixture),
            "image.nii: voxel size 1x0x1 mm (pixdim), expected 0.05 to 20 mm; repair the header");
  fixture.pixdim[2] = -1.0F;
  EXPECT_EQ(header_refusal(fixture),
            "image.nii: voxel size 1x-1x1 mm (pixdim), expected 0.05 to 20 mm; repair the "
            "header");
  fixture.pixdim[2] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_NE(header_refusal(fixture).find("expected 0.05 to 20 mm"), std::string::npos);
  fixture.pixdim[2] = 1.0F;
  fixture.units = 1;
  EXPECT_EQ(header_refusal(fixture),
            "image.nii: voxel size 1000x1000x1000 mm (pixdim 1x1x1, in metres by xyzt_units), "
            "expected 0.05 to 20 mm; repair the header");
  fixture.units = 3;
  EXPECT_EQ(header_refusal(fixture),
            "image.nii: voxel size 0.001x0.001x0.001 mm (pixdim 1x1x1, in microns by xyzt_units), "
            "expected 0.05 to 20 mm; repair the header");
}

TEST_F(NiftiHeaderFile, RefusesABitpixOfAnotherTypeThanDatatype) {
  for (const int version : {1, 2}) {
    NiftiFixture fixture;
    fixture.version = version;
    fixture.set_voxels(std::vector<std::int16_t>(120), 4);
    fixture.bits = 8;
    EXPECT_EQ(header_refusal(fixture),
              "image.nii: damaged header: bitpix says voxels of 8 bits, datatype int16; read and "
              "write it once with a program that knows which is right");
  }
}

TEST_F(NiftiHeaderFile, SaysHowFarApartSformAndQformAre) {
  NiftiFixture fixture;
  fixture.sform_code = 1;
  EXPECT_EQ(header_of(fixture).transforms_apart_mm, 0.0);
  fixture.qform_code = 1;  // No rotation, as the sform.
  EXPECT_EQ(header_of(fixture).transforms_apart_mm, 0.0);
  fixture.quaternion_and_offset[4] = 3.0F;
  EXPECT_DOUBLE_EQ(header_of(fixture).transforms_apart_mm, 3.0);
  fixture.quaternion_and_offset[0] = 7.0F;  // No rotation; the sform counts anyway.
  EXPECT_EQ(header_of(fixture).transforms_apart_mm, 0.0);
}

TEST_F(NiftiHeaderFile, RefusesAnInterceptThatIsNoNumber) {
  NiftiFixture fixture;
  fixture.slope = 2.0F;
  fixture.intercept = std::numeric_limits<float>::infinity();
  EXPECT_EQ(header_refusal(fixture),
            "image.nii: damaged header: scl_slope is 2 but scl_inter is not a number");
}

TEST_F(NiftiHeaderFile, RefusesASformWithAnotherVoxelSizeThanPixdim) {
  NiftiFixture fixture;
  fixture.srow[0] = 1.1F;
  EXPECT_EQ(header_refusal(fixture),
            "image.nii: the sform says voxels of 1.1x1x1 mm, pixdim 1x1x1 mm: the voxel size is "
            "ambiguous; repair the header or resample the image");
}

TEST_F(NiftiHeaderFile, RefusesAShearedOrSingularSform) {
  NiftiFixture sheared;
  sheared.srow = {1, 0.1F, 0, 0, 0, 0.994987F, 0, 0, 0, 0, 1, 0};
  EXPECT_EQ(header_refusal(sheared),
            "image.nii: sheared sform (cosine 0.1 between two axes, expected 0); resample the "
            "image onto a grid without shear");
  NiftiFixture parallel;
  parallel.srow = {1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0};
  EXPECT_NE(header_refusal(parallel).find("sheared sform"), std::string::npos);
  NiftiFixture empty;
  empty.srow = {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0};
  EXPECT_EQ(header_refusal(empty),
            "image.nii: singular sform (its columns must be finite and not 0); repair the header");
}

TEST_F(NiftiHeaderFile, RefusesAQuaternionThatIsNoRotation) {
  NiftiFixture fixture;
  fixture.sform_code = 0;
  fixture.qform_code = 1;
  fixture.quaternion_and_offset = {2, 0, 0, 0, 0, 0};
  EXPECT_EQ(header_refusal(fixture),
            "image.nii: damaged header: the qform's quaternion is not a rotation");
}

TEST_F(NiftiHeaderFile, RefusesAnUnknownUnitAndAWrongDataOffset) {
  NiftiFixture unit;
  unit.units = 5;
  EXPECT_EQ(header_refusal(unit),
            "image.nii: damaged header: unknown unit of length (code 5), expected mm");
  NiftiFixture offset;
  offset.vox_offset = 12.0F;
  EXPECT_EQ(header_refusal(offset),
            "image.nii: damaged header: the voxels start at byte 12, expected 352 or more");
}

TEST_F(NiftiHeaderFile, RefusesOtherFormatsByName) {
  NiftiFixture fixture;
  fixture.magic = std::string("ni1\0", 4);
  EXPECT_EQ(header_refusal(fixture),
            "image.nii: the header of a two-file NIfTI image, expected one .nii or .nii.gz file; "
            "convert it");
  fixture.magic = std::string(4, '\0');
  EXPECT_EQ(header_refusal(fixture),
            "image.nii: not a NIfTI file (no \"n+1\" in its header; Analyze 7.5?); convert it");
  EXPECT_EQ(named_refusal("image.img", "x"),
            "image.img: an Analyze or two-file NIfTI image, expected one .nii or .nii.gz file; "
            "convert it, for example with mrconvert or nibabel");
  EXPECT_EQ(named_refusal("image.mgz", "x"),
            "image.mgz: not named .nii or .nii.gz; convert it to NIfTI");
}

}  // namespace
}  // namespace mcvol
