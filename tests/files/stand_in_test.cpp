#include "mcvol/files/stand_in.h"

#include "mcvol/error/error.h"
#include "mcvol/files/csv.h"
#include "mcvol/files/json_fields.h"
#include "mcvol/files/text_file.h"

#include <string>

#include "files/temporary_folder.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

// The example of https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md.
const std::string kLfs =
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";
// As https://git-annex.branchable.com/internals/pointer_file/ has it.
const std::string kAnnex = "/annex/objects/SHA256E-s30--4d7a214614ab2935.nii.gz\n";

bool says(const std::string& text, const std::string& part) {
  return stand_in_of(text).find(part) != std::string::npos;
}

TEST(StandIn, PointersAndPagesAreToldByHowTheyBegin) {
  EXPECT_TRUE(says(kLfs, "a Git LFS pointer, not the file itself; fetch it (git lfs pull)"));
  EXPECT_TRUE(says(kAnnex, "a git-annex pointer"));
  EXPECT_TRUE(says("../.git/annex/objects/Jx/10/MD5E-s3--0a.nii/MD5E-s3--0a.nii", "git-annex"));
  for (const char* page :
       {"<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">", "\n <html lang=en>",
        "\xef\xbb\xbf<html>", "<?xml version=\"1.0\"?><Error>"}) {
    EXPECT_TRUE(says(page, "a web page")) << page;
  }
}

TEST(StandIn, OtherTextsAndImagesAreNone) {
  const std::string nifti("\x5c\x01\0\0", 4), gzip("\x1f\x8b\x08\0", 4);
  for (const std::string& text :
       {std::string(), nifti, gzip, std::string("NRRD0004\n"), std::string("case_id,t1\n"),
        std::string("{}"), std::string("/data/annexes/objects.csv"), std::string("version 1\n"),
        std::string("< html"), std::string(" \n")}) {
    EXPECT_EQ(stand_in_of(text), "") << text;
  }
}

TEST(StandIn, OfAFileIsThatOfItsFirstBytesAndNoneWhereItCannotBeRead) {
  const TemporaryFolder folder;
  write_file_atomically(folder.path() / "a.nii.gz", kAnnex);
  EXPECT_EQ(stand_in_of_file(folder.path() / "a.nii.gz"), stand_in_of(kAnnex));
  EXPECT_EQ(stand_in_of_file(folder.path() / "none"), "");
  EXPECT_EQ(stand_in_of_file(folder.path()), "");
}

TEST(StandIn, IsNamedWhereATableOrAnObjectIsExpected) {
  const auto message_of_csv = [](const std::string& text) -> std::string {
    try {
      parse_csv(text, "list.csv");
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message_of_csv(kLfs), "list.csv: " + stand_in_of(kLfs));
  EXPECT_EQ(message_of_csv("<html>\n"), "list.csv: " + stand_in_of("<html>"));
  std::string said;
  const JsonFail fail = [&](const std::string& message) { throw UsageError(said = message); };
  EXPECT_THROW(parse_json(kLfs, "model.json", fail), UsageError);
  EXPECT_EQ(said, "model.json: " + stand_in_of(kLfs));
}

}  // namespace
}  // namespace mcvol
