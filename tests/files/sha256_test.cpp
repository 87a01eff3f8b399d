#include "mcvol/files/sha256.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"

#include "files/temporary_folder.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

// Examples of FIPS 180-2, appendix B; the digest of nothing is well known.
TEST(Sha256, ReproducesThePublishedExamples) {
  EXPECT_EQ(sha256_of_bytes(""),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_of_bytes("abc"),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_of_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Sha256, AFileLongerThanTheBufferHashesLikeItsBytes) {
  const TemporaryFolder folder;
  // The third example of FIPS 180-2 is a million times "a"; three of them pass the read buffer.
  const std::string million(1000000, 'a');
  write_file_atomically(folder.path() / "one", million);
  EXPECT_EQ(sha256_of_file(folder.path() / "one"),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  const std::string three = million + million + million;
  write_file_atomically(folder.path() / "three", three);
  EXPECT_EQ(sha256_of_file(folder.path() / "three"), sha256_of_bytes(three));
}

TEST(Sha256, AMissingFileIsNamed) {
  try {
    sha256_of_file("no/such/scan.nii.gz");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "no/such/scan.nii.gz: cannot read: No such file or directory");
  }
}

}  // namespace
}  // namespace mcvol
