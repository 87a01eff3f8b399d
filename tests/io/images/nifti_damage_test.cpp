#include "mcvol/io/images/image_file.h"
#include "mcvol/io/images/image_header.h"

#include <limits>
#include <vector>

#include "io/images/nifti_fixture.h"
#include <gtest/gtest.h>
#include <sys/resource.h>

namespace mcvol {
namespace {

using test::gzipped;
using test::NiftiFixture;
using test::refusal_of;

class DamagedNiftiFile : public test::InFolder {
 protected:
  std::string named_refusal(const std::string& name, const std::string& bytes) {
    const auto path = write(name, bytes);
    return refusal_of([&] { read_image(path); });
  }
};

TEST_F(DamagedNiftiFile, RefusesWhatIsNoNiftiFileInOneLine) {
  EXPECT_EQ(named_refusal("empty.nii.gz", ""),
            "empty.nii.gz: an empty file, expected a NIfTI image");
  EXPECT_EQ(named_refusal("short.nii", "hello"),
            "short.nii: truncated or not NIfTI: 5 bytes, less than a header of 348");
  EXPECT_EQ(named_refusal("garbage.nii.gz", std::string(1000, 'x')),
            "garbage.nii.gz: not a NIfTI file (its header does not begin with 348 or 540)");
  EXPECT_EQ(named_refusal("packed.nii", gzipped(NiftiFixture().bytes())),
            "packed.nii: gzip-compressed but not named .nii.gz; rename it");
  EXPECT_EQ(refusal_of([&] { read_image_header(folder_ / "none.nii"); }), "none.nii: no such file");
  std::filesystem::create_directory(folder_ / "folder.nii");
  EXPECT_EQ(refusal_of([&] { read_image_header(folder_ / "folder.nii"); }),
            "folder.nii: a folder, expected a NIfTI file");
}

TEST_F(DamagedNiftiFile, NamesWhatDataToolsAndServersLeaveInThePlaceOfAnImageOfAnyFormat) {
  const std::string lfs =
      "version https://git-lfs.github.com/spec/v1\noid sha256:" + std::string(64, 'a') +
      "\nsize 123456\n";
  for (const std::string name : {"p.nii", "p.nii.gz", "p.nrrd", "p.mha"}) {
    EXPECT_EQ(named_refusal(name, lfs),
              name + ": a Git LFS pointer, not the file itself; fetch it (git lfs pull)");
    EXPECT_EQ(named_refusal(name, "/annex/objects/MD5E-s123456--0a.nii.gz\n"),
              name +
                  ": a git-annex pointer, not the file itself; fetch it (datalad get, git annex "
                  "get)");
    EXPECT_EQ(named_refusal(name, "<!DOCTYPE html>\n<html><title>Log in</title></html>"),
              name +
                  ": a web page (HTML or XML), not the file itself, often a log-in or an error; "
                  "download it again");
  }
}

TEST_F(DamagedNiftiFile, SaysWhichFormatAFileOfAnotherNameIs) {
  const std::string no_nifti = ": not a NIfTI file (its header does not begin with 348 or 540)";
  const std::string nifti = NiftiFixture().bytes(), rest(400, '\1');
  EXPECT_EQ(named_refusal("a.nii", std::string(128, '\0') + "DICM" + rest),
            "a.nii" + no_nifti + ", but DICOM; convert it with dcm2niix");
  EXPECT_EQ(named_refusal("a.nii.gz", gzipped(gzipped(nifti))),
            "a.nii.gz: truncated or not NIfTI: " + std::to_string(gzipped(nifti).size()) +
                " bytes, less than a header of 348, but gzip; unpack it once, or name it .nii.gz "
                "where it is one");
  EXPECT_EQ(named_refusal("b.nii", std::string(600, '\0')),
            "b.nii" + no_nifti + ", but zeros only; copy it again");
  EXPECT_EQ(named_refusal("c.nii", "NRRD0004\ntype: float\n" + rest),
            "c.nii" + no_nifti + ", but NRRD; name it .nrrd");
  EXPECT_EQ(named_refusal("d.nrrd", nifti),
            "d.nrrd: not a NRRD file (its first line is not NRRD000 and a digit), but NIfTI; name "
            "it .nii");
  EXPECT_EQ(named_refusal("e.mha", "PK\3\4" + rest),
            "e.mha: not a MetaImage file, or truncated: no ElementDataFile in its header, but a "
            "ZIP archive; unpack it");
}

TEST_F(DamagedNiftiFile, RefusesATruncatedPlainFileByItsSize) {
  const std::string bytes = NiftiFixture().bytes();
  EXPECT_EQ(named_refusal("cut.nii", bytes.substr(0, bytes.size() - 1)),
            "cut.nii: truncated: 831 bytes (uncompressed), expected 832; copy it again");
}

TEST_F(DamagedNiftiFile, RefusesACompressedFileTooSmallForWhatItClaims) {
  NiftiFixture fixture;
  fixture.dim = {3, 1000, 1000, 1000};
  const std::string packed = gzipped(fixture.bytes());
  EXPECT_EQ(named_refusal("cut.nii.gz", packed),
            "cut.nii.gz: truncated: " + std::to_string(packed.size()) +
                " compressed bytes cannot hold the 4000000352 that its header claims; copy it "
                "again");
}

TEST_F(DamagedNiftiFile, RefusesACompressedFileCutAnywhere) {
  NiftiFixture fixture;
  std::vector<float> values(120);
  for (std::size_t n = 0; n < values.size(); ++n) {
    values[n] = static_cast<float>(n * n);
  }
  fixture.set_voxels(values, 16);
  const std::string packed = gzipped(fixture.bytes());
  for (const std::size_t kept : {packed.size() / 4, packed.size() / 2, packed.size() - 20,
                                 packed.size() - 8, packed.size() - 1}) {
    const std::string message = named_refusal("cut.nii.gz", packed.substr(0, kept));
    EXPECT_EQ(message, "cut.nii.gz: truncated, the compressed data end too early; copy it again")
        << kept << " of " << packed.size();
  }
}

TEST_F(DamagedNiftiFile, RefusesACompressedFileThatEndsWellButTooEarly) {
  const std::string bytes = NiftiFixture().bytes();
  EXPECT_EQ(named_refusal("cut.nii.gz", gzipped(bytes.substr(0, 600))),
            "cut.nii.gz: truncated: 600 bytes (uncompressed), expected 832; copy it again");
}

/// Random bytes do not pack: the file is as large as it must be for what it claims.
TEST_F(DamagedNiftiFile, WhatAHeaderClaimsIsNotAllocatedBeforeItIsThere) {
  NiftiFixture fixture;
  fixture.dim = {3, 2048, 2048, 1024};  // 16 GiB of floats, more than 1/1032 of which lies there
  fixture.voxels.resize(std::size_t{34} << 20U);
  std::uint32_t state = 1;
  for (char& byte : fixture.voxels) {
    byte = static_cast<char>((state = state * 1664525U + 1013904223U) >> 24U);
  }
  const auto path = write("claims.nii.gz", gzipped(fixture.bytes()));
  const auto most_resident_kib = [] {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss;
  };
  const auto before_kib = most_resident_kib();
  EXPECT_EQ(refusal_of([&] { read_image(path); }),
            "claims.nii.gz: truncated: 35651936 bytes (uncompressed), expected 17179869536; copy "
            "it again");
  EXPECT_LT(most_resident_kib() - before_kib, 64 << 10);
}

TEST_F(DamagedNiftiFile, RefusesAWrongChecksum) {
  std::string packed = gzipped(NiftiFixture().bytes());
  packed[packed.size() - 6] = static_cast<char>(packed[packed.size() - 6] ^ 1);
  EXPECT_EQ(named_refusal("flipped.nii.gz", packed),
            "flipped.nii.gz: damaged, its gzip data are corrupt; copy it again");
}

TEST_F(DamagedNiftiFile, RefusesNanAndInfiniteVoxelsWithTheirCount) {
  for (const bool big_endian : {false, true}) {
    NiftiFixture fixture;
    fixture.big_endian = big_endian;
    std::vector<double> values(120, 1e300);
    values[3] = std::numeric_limits<double>::quiet_NaN();
    values[7] = -std::numeric_limits<double>::infinity();
    fixture.set_voxels(values, 64);
    EXPECT_EQ(named_refusal("nan.nii.gz", gzipped(fixture.bytes())),
              "nan.nii.gz: 2 of 120 voxels are NaN or infinite, expected finite intensities; "
              "replace them by 0 if they are background");
    fixture.set_voxels(std::vector<float>(120, std::numeric_limits<float>::infinity()), 16);
    EXPECT_NE(named_refusal("nan.nii", fixture.bytes()).find("nan.nii: 120 of 120"),
              std::string::npos);
    fixture.set_voxels(std::vector<float>(120, std::numeric_limits<float>::max()), 16);
    EXPECT_EQ(named_refusal("large.nii", fixture.bytes()), "");
  }
}

}  // namespace
}  // namespace mcvol
