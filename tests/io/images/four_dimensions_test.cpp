#include "mcvol/io/images/image_file.h"
#include "mcvol/io/images/image_header.h"

#include "io/images/nifti_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using test::gzipped;
using test::NiftiFixture;
using test::refusal_of;

class FourDimensions : public test::InFolder {};

TEST_F(FourDimensions, AnImageIsTakenOfFourOnly) {
  NiftiFixture fixture;
  const auto refusal_at = [&](std::int64_t index) {
    const ImageSource source{write("image.nii", fixture), index};
    return refusal_of([&] { read_image_header(source); });
  };
  EXPECT_EQ(refusal_at(0),
            "image.nii: 3-D image (4x5x6), expected a 4-D one, to take image.nii[0] of it; are the "
            "channels in files of their own?");
  fixture.dim = {4, 4, 5, 6, 3};
  fixture.set_voxels(std::vector<std::uint8_t>(360), 2);
  EXPECT_EQ(refusal_at(2), "");
  EXPECT_EQ(refusal_at(3),
            "image.nii: 4-D image (4x5x6x3), in which there is no image.nii[3], expected an index "
            "from 0 to 2");
  fixture.voxels.pop_back();
  EXPECT_EQ(refusal_at(0),
            "image.nii: truncated: 711 bytes (uncompressed), expected 712; copy it again");
  fixture.dim = {5, 4, 5, 6, 3, 2};
  EXPECT_EQ(refusal_at(0), "image.nii: 5-D image (4x5x6x3x2), expected 3-D; split it");
  fixture.dim = {4, 1024, 1024, 2048, 3};
  EXPECT_EQ(refusal_at(0),
            "image.nii: claims 1024x1024x2048x3 voxels, more than the 2^32 that can be read; "
            "damaged?");
}

TEST_F(FourDimensions, EachImageIsReadByItsIndex) {
  NiftiFixture fixture;
  fixture.dim = {4, 4, 5, 6, 3};
  fixture.pixdim = {1, 1, 2, 3, 1, 1, 1, 1};
  fixture.srow = {-1, 0, 0, 7, 0, 2, 0, 8, 0, 0, 3, 9};
  fixture.slope = 0.5F;
  std::vector<std::int16_t> values(360);
  for (std::size_t n = 0; n < values.size(); ++n) values[n] = static_cast<std::int16_t>(n);
  fixture.set_voxels(values, 4);
  for (const int version : {1, 2}) {
    fixture.version = version;
    for (const char* name : {"image.nii", "image.nii.gz"}) {
      const auto file = write(name, fixture);
      for (std::int64_t index = 0; index < 3; ++index) {
        const Image<float> image = read_image({file, index});
        EXPECT_EQ(image.grid.size, (Index3{4, 5, 6}));
        EXPECT_EQ(image.grid.origin_mm, Eigen::Vector3d(-7, -8, 9));
        for (std::size_t n = 0; n < 120; ++n) {
          ASSERT_EQ(image.values[n], 0.5F * static_cast<float>(index * 120 + std::int64_t(n)));
        }
      }
    }
  }
}

TEST_F(FourDimensions, DamageBehindTheImageReadIsFound) {
  NiftiFixture fixture;
  fixture.dim = {4, 4, 5, 6, 3};
  std::vector<std::uint16_t> values(360);
  for (std::size_t n = 0; n < values.size(); ++n) {
    values[n] = static_cast<std::uint16_t>(n * n * 7919);
  }
  fixture.set_voxels(values, 512);
  std::string bytes = gzipped(fixture.bytes());
  bytes[bytes.size() - 6] = static_cast<char>(bytes[bytes.size() - 6] ^ 1);  // of the checksum
  const ImageSource first{write("image.nii.gz", bytes), 0};
  EXPECT_EQ(refusal_of([&] { read_image(first); }),
            "image.nii.gz: damaged, its gzip data are corrupt; copy it again");
}

TEST_F(FourDimensions, ANumberInBracketsNamesAnImageUnlessTheFileIsCalledSo) {
  EXPECT_EQ(image_source_from("a/b.nii.gz[12]"), ImageSource("a/b.nii.gz", 12));
  EXPECT_EQ(image_source_from("a/b.nii.gz[12]").name(), "b.nii.gz[12]");
  for (const char* name : {"b.nii.gz", "b.nii.gz[]", "b.nii.gz[-1]", "b.nii.gz[1", "b.nii.gz[a]",
                           "b[1].nii.gz", "[1]", "b.nii.gz[99999999999999999999]"}) {
    EXPECT_EQ(image_source_from(name), ImageSource(name)) << name;
  }
  const auto file = write("c.nii.gz[1]", std::string());
  EXPECT_EQ(image_source_from(file), ImageSource(file));
}

}  // namespace
}  // namespace mcvol
