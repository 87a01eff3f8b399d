// NRRD and MetaImage, written here by hand as their documents say.

#include "mcvol/io/images/image_file.h"
#include "mcvol/io/images/image_header.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "io/images/nifti_fixture.h"
#include "io/images/sphere_fixture.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using test::refusal_of;

template <typename Value>
std::string counting_voxels(int count = 4 * 5 * 6) {
  std::string bytes;
  for (int n = 0; n < count; ++n) {
    const auto value = static_cast<Value>(n);
    bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  return bytes;
}

std::string zlib_packed(const std::string& bytes) {
  std::string packed(compressBound(bytes.size()), '\0');
  uLongf size = packed.size();
  compress(reinterpret_cast<Bytef*>(packed.data()), &size,
           reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
  packed.resize(size);
  return packed;
}

/// Spacing 2, 3, 4 mm on axes that run to the left, front and head.
const std::string kNrrdGrid =
    "space: left-posterior-superior\nspace directions: (2,0,0) (0,-3,0) (0,0,4)\n"
    "space origin: (-10,7,4)\n";

std::string nrrd(const std::string& type, const std::string& more, const std::string& voxels,
                 const std::string& end_of_line = "\n") {
  std::string head = "NRRD0004\n# made by hand\ntype: " + type +
                     "\ndimension: 3\nsizes: 4 5 6\nendian: little\n" + more + "\n";
  for (std::size_t at = 0; (at = head.find('\n', at)) != std::string::npos;) {
    head.replace(at, 1, end_of_line);
    at += end_of_line.size();
  }
  return head + voxels;
}

std::string mha(const std::string& type, const std::string& more, const std::string& voxels) {
  return "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n" +
         more + "Offset = -10 7 4\nElementSpacing = 2 3 4\nDimSize = 4 5 6\nElementType = " + type +
         "\nElementDataFile = LOCAL\n" + voxels;
}

const std::string kMetaTurn = "TransformMatrix = 1 0 0 0 -1 0 0 0 1\n";

class TextImageFile : public test::InFolder {
 protected:
  void expect_counting(const std::string& name, const std::string& bytes, VoxelType type,
                       ImageFormat format) {
    SCOPED_TRACE(name);
    const auto path = write(name, bytes);
    const ImageHeader header = read_image_header(path);
    EXPECT_EQ(header.format, format);
    EXPECT_EQ(header.type, type);
    EXPECT_TRUE(header.orientation_known);
    EXPECT_EQ(describe(header.grid), "4x5x6 voxels of 2x3x4 mm, LAS");
    EXPECT_EQ(header.grid.origin_mm, Eigen::Vector3d(-10, 7, 4));
    const Image<float> image = read_image(path);
    EXPECT_TRUE(same_grid(image.grid, header.grid, 0));
    ASSERT_EQ(image.values.size(), 120U);
    for (std::size_t n = 0; n < 120; ++n) ASSERT_EQ(image.values[n], static_cast<float>(n));
  }
  std::string refusal(const std::string& name, const std::string& bytes) {
    const auto path = write(name, bytes);
    return refusal_of([&] { read_image(path); });
  }
};

TEST_F(TextImageFile, NrrdIsReadOnItsGridPlainAndCompressed) {
  const auto floats = counting_voxels<float>();
  for (const std::string end : {"\n", "\r\n"}) {
    expect_counting("raw.nrrd", nrrd("float", kNrrdGrid + "encoding: raw\n", floats, end),
                    VoxelType::kFloat32, ImageFormat::kNrrd);
  }
  expect_counting(
      "gzip.nrrd",
      nrrd("short", kNrrdGrid + "encoding: gzip\n", test::gzipped(counting_voxels<std::int16_t>())),
      VoxelType::kInt16, ImageFormat::kNrrd);
  expect_counting("ras.nrrd",
                  nrrd("unsigned char",
                       "space: RAS\nspace directions: (-2,0,0) (0,3,0) (0,0,4)\n"
                       "space origin: (10,-7,4)\nspace units: \"mm\" \"mm\" \"mm\"\nencoding: gz\n",
                       test::gzipped(counting_voxels<std::uint8_t>())),
                  VoxelType::kUint8, ImageFormat::kNrrd);
  expect_counting("long.nrrd",
                  nrrd("int64", kNrrdGrid + "encoding: raw\n", counting_voxels<std::int64_t>()),
                  VoxelType::kInt64, ImageFormat::kNrrd);
}

TEST_F(TextImageFile, MetaImageIsReadOnItsGridPlainAndCompressed) {
  expect_counting("raw.mha", mha("MET_FLOAT", kMetaTurn, counting_voxels<float>()),
                  VoxelType::kFloat32, ImageFormat::kMetaImage);
  const std::string packed = zlib_packed(counting_voxels<std::uint16_t>());
  expect_counting("zlib.mha",
                  mha("MET_USHORT",
                      kMetaTurn + "CompressedData = True\nCompressedDataSize = " +
                          std::to_string(packed.size()) + "\n",
                      packed),
                  VoxelType::kUint16, ImageFormat::kMetaImage);
}

TEST_F(TextImageFile, WithoutATurnInThePatientTheOrientationIsUnknown) {
  EXPECT_FALSE(read_image_header(write("a.nrrd", nrrd("float", "spacings: 1 1 1\nencoding: raw\n",
                                                      counting_voxels<float>())))
                   .orientation_known);
  EXPECT_FALSE(read_image_header(write("b.nrrd", nrrd("float",
                                                      "space: scanner-xyz\nspace directions: "
                                                      "(1,0,0) (0,1,0) (0,0,1)\nencoding: raw\n",
                                                      counting_voxels<float>())))
                   .orientation_known);
  EXPECT_FALSE(read_image_header(write("c.mha", mha("MET_FLOAT", "", counting_voxels<float>())))
                   .orientation_known);
}

TEST_F(TextImageFile, AVoxelSizeThatIsNotThereIsNeverTakenForOneMillimetre) {
  const auto floats = counting_voxels<float>();
  const std::string lps = "space: LPS\nspace origin: (0,0,0)\nencoding: raw\n";
  for (const std::string& place :
       {std::string("encoding: raw\n"), std::string("encoding: raw\nspacings: 1 2 nan\n"),
        std::string("encoding: raw\naxis mins: 0 0 0\naxis maxs: 9 9 9\n"),
        lps + "space directions: (1,0,0) (0,2,0) none\n",
        lps + "space directions: (1,0,0) (0,2,0) (0,0,nan)\n"}) {
    EXPECT_NE(refusal("a.nrrd", nrrd("float", place, floats)), "") << place;
  }
  EXPECT_NE(refusal("b.nrrd", nrrd("float",
                                   "space: LPS\nspace directions: (1,0,0) (0,1,0) (0,0,1)\n"
                                   "encoding: raw\n",
                                   floats))
                .find("no space origin"),
            std::string::npos);
  std::string without = mha("MET_FLOAT", kMetaTurn, floats);
  without.replace(without.find("ElementSpacing"), 14, "elementspacing");
  EXPECT_EQ(refusal("c.mha", without),
            "c.mha: no ElementSpacing in its header, expected 3 numbers");
  std::string size = mha("MET_FLOAT", kMetaTurn, floats);
  size.replace(size.find("ElementSpacing"), 14, "ElementSize");
  expect_counting("d.mha", size, VoxelType::kFloat32, ImageFormat::kMetaImage);
}

TEST_F(TextImageFile, WhatMetaImageSaysOfItsCompressionDecidesOnNoVoxel) {
  const std::string packed = zlib_packed(counting_voxels<float>());
  for (const std::string& claimed :
       {std::string("1"), std::string("-5"), std::string("20000000000")}) {
    expect_counting(
        "claims.mha",
        mha("MET_FLOAT",
            kMetaTurn + "CompressedData = True\nCompressedDataSize = " + claimed + "\n", packed),
        VoxelType::kFloat32, ImageFormat::kMetaImage);
  }
  expect_counting("none.mha",
                  mha("MET_FLOAT", kMetaTurn + "CompressedData = True\n", packed + "xx"),
                  VoxelType::kFloat32, ImageFormat::kMetaImage);
  EXPECT_NE(refusal("case.mha", mha("MET_FLOAT", kMetaTurn + "compresseddata = True\n", packed)),
            "");
  EXPECT_NE(refusal("one.mha", mha("MET_FLOAT", kMetaTurn + "CompressedData = 1\n", packed)), "");
}

TEST_F(TextImageFile, GzipOfSeveralMembersIsReadToItsEnd) {
  const std::string voxels = counting_voxels<float>();
  expect_counting("members.nrrd",
                  nrrd("float", kNrrdGrid + "encoding: gzip\n",
                       test::gzipped(voxels.substr(0, 100)) + test::gzipped(voxels.substr(100))),
                  VoxelType::kFloat32, ImageFormat::kNrrd);
  EXPECT_NE(refusal("more.nrrd", nrrd("float", kNrrdGrid + "encoding: gzip\n",
                                      test::gzipped(voxels) + test::gzipped("more")))
                .find("damaged: more than the 480 bytes"),
            std::string::npos);
}

TEST_F(TextImageFile, TheOtherEndiannessIsRead) {
  std::string voxels = counting_voxels<std::int16_t>();
  for (std::size_t n = 0; n < voxels.size(); n += 2) std::swap(voxels[n], voxels[n + 1]);
  std::string bytes = nrrd("short", kNrrdGrid + "encoding: raw\n", voxels);
  bytes.replace(bytes.find("little"), 6, "big");
  expect_counting("big.nrrd", bytes, VoxelType::kInt16, ImageFormat::kNrrd);
  std::string meta = mha("MET_SHORT", kMetaTurn, voxels);
  meta.replace(meta.find("MSB = False"), 11, "MSB = True");
  expect_counting("big.mha", meta, VoxelType::kInt16, ImageFormat::kMetaImage);
}

TEST_F(TextImageFile, NoMessageHoldsWhatElseStandsInTheHeader) {
  const std::string message =
      refusal("private.nrrd", nrrd("float",
                                   "PatientName: Doe^John\ncomment: Doe^John\n" + kNrrdGrid +
                                       "encoding: raw\nbyte skip: 7\n",
                                   counting_voxels<float>()));
  EXPECT_NE(message, "");
  EXPECT_EQ(message.find("Doe"), std::string::npos) << message;
}

TEST_F(TextImageFile, VoxelsInAnotherFileAreRefusedByItsName) {
  EXPECT_EQ(refusal("a.nhdr", nrrd("float", kNrrdGrid + "encoding: raw\ndata file: a.raw\n", "")),
            "a.nhdr: its voxels are in another file (a.raw), expected them in this one; save it as "
            "one .nrrd file, for example with 3D Slicer");
  EXPECT_EQ(refusal("a.mhd", "NDims = 3\nDimSize = 4 5 6\nElementDataFile = ../a.raw\n"),
            "a.mhd: its voxels are in another file (../a.raw), expected them in this one; save it "
            "as one .mha file, for example with 3D Slicer");
}

TEST_F(TextImageFile, FilesThatAreCutShortAreRefusedAnywhere) {
  const std::string nrrd_bytes =
      nrrd("float", kNrrdGrid + "encoding: gzip\n", test::gzipped(counting_voxels<float>()));
  const std::string packed = zlib_packed(counting_voxels<float>());
  const std::string mha_bytes = mha("MET_FLOAT",
                                    kMetaTurn + "CompressedData = True\nCompressedDataSize = " +
                                        std::to_string(packed.size()) + "\n",
                                    packed);
  for (const auto& [name, whole] : {std::pair{"cut.nrrd", nrrd_bytes}, {"cut.mha", mha_bytes}}) {
    ASSERT_EQ(refusal(name, whole), "");
    for (std::size_t size = 0; size < whole.size(); size += 3) {
      const std::string message = refusal(name, whole.substr(0, size));
      EXPECT_TRUE(message.starts_with(std::string(name) + ": ")) << size << ": " << message;
      EXPECT_EQ(message.find("ITK"), std::string::npos) << message;
    }
  }
  const std::string raw = nrrd("float", kNrrdGrid + "encoding: raw\n", counting_voxels<float>(119));
  EXPECT_EQ(refusal("raw.nrrd", raw),
            "raw.nrrd: truncated: 476 bytes of voxels, expected 480; copy it again");
}

TEST_F(TextImageFile, DamagedCompressedVoxelsAreRefused) {
  std::string packed = test::gzipped(counting_voxels<float>());
  packed[packed.size() - 6] = static_cast<char>(packed[packed.size() - 6] ^ 1);  // its checksum
  EXPECT_EQ(refusal("sum.nrrd", nrrd("float", kNrrdGrid + "encoding: gzip\n", packed)),
            "sum.nrrd: damaged, its compressed data are corrupt; copy it again");
}

TEST_F(TextImageFile, AHeaderThatClaimsMoreThanTheFileHoldsAllocatesNothing) {
  std::string bytes =
      nrrd("float", kNrrdGrid + "encoding: gzip\n", test::gzipped(counting_voxels<float>()));
  bytes.replace(bytes.find("4 5 6"), 5, "2000 2000 1000");
  EXPECT_NE(
      refusal("claims.nrrd", bytes).find("cannot hold the 16000000000 that its header claims"),
      std::string::npos);
}

TEST_F(TextImageFile, WhatWouldBeReadWronglyIsRefusedByName) {
  const auto floats = counting_voxels<float>();
  const auto says = [&](const std::string& more, const std::string& part) {
    const std::string message = refusal("a.nrrd", nrrd("float", kNrrdGrid + more, floats));
    EXPECT_NE(message.find(part), std::string::npos) << message;
  };
  says("encoding: bzip2\n", "encoding \"bzip2\", expected raw or gzip");
  says("encoding: ascii\n", "encoding \"ascii\", expected raw or gzip");
  says("encoding: raw\nbyte skip: -1\n", "byte skip is \"-1\", expected 0");
  says("encoding: raw\nunits: \"cm\" \"cm\" \"cm\"\n", "expected mm");
  says("encoding: raw\nkinds: domain domain RGB-color\n", "an axis of kind \"rgb-color\"");
  says("encoding: raw\nencoding: gzip\n", "\"encoding\" is given twice");
  says("encoding: raw\nspace units: \"um\" \"um\" \"um\"\n", "expected mm");
  EXPECT_NE(refusal("shear.nrrd", nrrd("float",
                                       "space: RAS\nspace directions: (1,0.1,0) (0,1,0) (0,0,1)\n"
                                       "space origin: (0,0,0)\nencoding: raw\n",
                                       floats))
                .find("sheared space directions"),
            std::string::npos);
  EXPECT_NE(refusal("big.nrrd", nrrd("float",
                                     "space: RAS\nspace directions: (1000,0,0) (0,1,0) (0,0,1)\n"
                                     "space origin: (0,0,0)\nencoding: raw\n",
                                     floats))
                .find("voxel size 1000x1x1 mm (space directions), expected 0.05 to 20 mm"),
            std::string::npos);
  for (const char* line :
       {"ElementToIntensityFunctionSlope = 2\n", "ElementToIntensityFunctionOffset = 10\n",
        "HeaderSize = -1\n", "NDims = 3\n", "BinaryData = True\n"}) {
    EXPECT_NE(refusal("a.mha", mha("MET_FLOAT", kMetaTurn + line, floats)), "") << line;
  }
  EXPECT_NE(refusal("scaled.mha", mha("MET_FLOAT", "TransformMatrix = 2 0 0 0 2 0 0 0 2\n", floats))
                .find("axes of other lengths than 1"),
            std::string::npos);
  EXPECT_NE(refusal("zero.mha", mha("MET_FLOAT", "TransformMatrix = 0 0 0 0 0 0 0 0 0\n", floats)),
            "");
  std::string huge = nrrd("float", kNrrdGrid + "encoding: raw\n", floats);
  huge.replace(huge.find("4 5 6"), 5, "4294967297 1 1");
  EXPECT_NE(refusal("huge.nrrd", huge).find("expected 3 sizes of 1 to 2^32 voxels"),
            std::string::npos);
  EXPECT_EQ(refusal("text.nrrd", "hello\n"),
            "text.nrrd: not a NRRD file (its first line is not NRRD000 and a digit)");
  EXPECT_EQ(refusal("rgb.mha", mha("MET_FLOAT", "ElementNumberOfChannels = 3\n", floats)),
            "rgb.mha: ElementNumberOfChannels is \"3\", expected 1; save it once more, for example "
            "with 3D Slicer");
  EXPECT_NE(refusal("cm.mha", mha("MET_FLOAT", kMetaTurn + "DistanceUnits = cm\n", floats))
                .find("DistanceUnits is \"cm\", expected mm"),
            std::string::npos);
  EXPECT_EQ(refusal("empty.mha", ""), "empty.mha: an empty file, expected an image");
}

TEST_F(TextImageFile, NanIsRefusedWithItsNumber) {
  std::string voxels = counting_voxels<float>();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::memcpy(voxels.data() + 40, &nan, sizeof(nan));
  EXPECT_NE(refusal("nan.nrrd", nrrd("float", kNrrdGrid + "encoding: raw\n", voxels))
                .find("1 of 120 voxels are NaN or infinite"),
            std::string::npos);
}

}  // namespace
}  // namespace mcvol
