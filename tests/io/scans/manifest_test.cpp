#include "mcvol/io/scans/manifest.h"

#include "mcvol/files/text.h"

#include <set>

#include "io/scans/file_tree.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using Names = std::vector<std::string>;
using testing::IsSubstring;

const std::vector<ChannelPattern> kChannels{{"t1", {"t1"}}, {"flair", {"flair"}}};

Manifest read(FileTree& tree, const std::string& text) {
  tree.add("lists/cases.csv", text);
  return read_manifest(tree / "lists/cases.csv", kChannels);
}

std::string manifest_error_of(const std::string& text) {
  FileTree tree;
  return message_thrown<UsageError>([&] { read(tree, text); });
}

/// The error of a manifest's only case.
std::string case_error_of(FileTree& tree, const std::string& text) {
  const Manifest manifest = read(tree, text);
  EXPECT_EQ(manifest.cases.size(), 1u);
  EXPECT_TRUE(manifest.cases.at(0).channel_files.empty());
  return manifest.cases.at(0).error;
}

TEST(Manifest, PathsAreRelativeToItsFolderOrAbsolute) {
  FileTree tree({"lists/a/1.nii.gz", "scans/2.nii", "3.nii.gz"});
  const Manifest manifest =
      read(tree, "flair,case_id,t1\n../scans/2.nii, x-1 ,a/1.nii.gz\na/1.nii.gz,y," +
                     (tree / "3.nii.gz").string() + "\n");
  ASSERT_EQ(manifest.cases.size(), 2u);
  EXPECT_EQ(manifest.cases[0].case_id, "x-1");
  EXPECT_EQ(manifest.cases[0].error, "");
  EXPECT_EQ(manifest.cases[0].channel_files[0], tree / "lists/a/1.nii.gz");
  EXPECT_EQ(manifest.cases[0].channel_files[1], tree / "scans/2.nii");
  EXPECT_EQ(manifest.cases[1].channel_files[0], tree / "3.nii.gz");
  EXPECT_TRUE(manifest.ignored.empty());
}

TEST(Manifest, ChannelsMayBeImagesOfOne4dFile) {
  FileTree tree({"lists/all.nii.gz"});
  const Manifest manifest = read(
      tree, "case_id,t1,flair\nx,all.nii.gz[1],all.nii.gz[0]\ny,all.nii.gz[1],all.nii.gz[1]\n");
  EXPECT_EQ(manifest.cases[0].error, "");
  EXPECT_EQ(
      manifest.cases[0].channel_files,
      (std::vector<ImageSource>{{tree / "lists/all.nii.gz", 1}, {tree / "lists/all.nii.gz", 0}}));
  EXPECT_EQ(manifest.cases[1].error,
            "channel flair: the same image as channel t1 (cases.csv, line 3)");
}

TEST(Manifest, AFileThatAria2HasNotFetchedYetIsItsCasesError) {
  FileTree tree({"lists/1.nii", "lists/2.nii", "lists/2.nii.aria2"});
  EXPECT_EQ(case_error_of(tree, "case_id,t1,flair\nx,1.nii,2.nii\n"),
            "channel flair: 2.nii is a download that has not ended; wait for it, or fetch it again "
            "(cases.csv, line 2)");
}

TEST(Manifest, OtherColumnsAreNamedAsPassedOver) {
  FileTree tree({"lists/1.nii", "lists/2.nii"});
  const Manifest manifest = read(tree, "case_id,t1,age,flair,\nx,1.nii,63,2.nii,\n");
  EXPECT_EQ(manifest.ignored, (Names{"cases.csv: column 'age' is no channel of the model"}));
  EXPECT_EQ(manifest.cases[0].error, "");
}

TEST(Manifest, FileThatIsNotThereIsItsCasesErrorWithoutItsFolder) {
  FileTree tree({"lists/1.nii"});
  EXPECT_EQ(case_error_of(tree, "case_id,t1,flair\nx,1.nii,/data/of/x/2.nii.gz\n"),
            "channel flair: 2.nii.gz is not there; correct its path (cases.csv, line 2)");
}

TEST(Manifest, ValuesThatAreNoScanAreTheirCasesError) {
  FileTree tree({"lists/1.nii", "lists/2.mgz", "lists/3.txt", "lists/d/4.nii"});
  const auto error_with = [&](const std::string& value) {
    return case_error_of(tree, "case_id,t1,flair\nx,1.nii," + value + "\n");
  };
  EXPECT_PRED_FORMAT2(IsSubstring, "channel flair: no file given (cases.csv, line 2)",
                      error_with(""));
  EXPECT_PRED_FORMAT2(IsSubstring, "d is a folder", error_with("d"));
  EXPECT_PRED_FORMAT2(IsSubstring, "2.mgz is FreeSurfer .mgz; convert with mri_convert",
                      error_with("2.mgz"));
  EXPECT_PRED_FORMAT2(IsSubstring, "3.txt is not named like an image", error_with("3.txt"));
  EXPECT_PRED_FORMAT2(IsSubstring, "the same file as channel t1", error_with("d/../1.nii"));
}

TEST(Manifest, MissingColumnIsNamedWithThoseFound) {
  EXPECT_PRED_FORMAT2(IsSubstring,
                      "cases.csv: expected one column 'flair' (case_id, then one for each channel "
                      "of the model), found: case_id, t1, FLAIR",
                      manifest_error_of("case_id,t1,FLAIR\nx,1,2\n"));
  EXPECT_PRED_FORMAT2(IsSubstring, "expected one column 'case_id'",
                      manifest_error_of("id,t1,flair\nx,1,2\n"));
  EXPECT_PRED_FORMAT2(IsSubstring, "two columns are called 't1'",
                      manifest_error_of("case_id,t1, t1,flair\nx,1,2,3\n"));
}

TEST(Manifest, RowWithoutACaseIdIsAFailedCaseAndAnEmptyRowIsNone) {
  FileTree tree({"lists/1.nii", "lists/2.nii"});
  const Manifest manifest =
      read(tree, "case_id,t1,flair\n,1.nii,2.nii\n , ,\nx,1.nii,2.nii\n,,\n,,\n");
  ASSERT_EQ(manifest.cases.size(), 2u);
  EXPECT_EQ(manifest.cases[0].case_id, "line_2");
  EXPECT_EQ(manifest.cases[0].error, "no case_id given (cases.csv, line 2)");
  EXPECT_EQ(manifest.cases[1].error, "");
}

TEST(Manifest, OddNamesAndNamesGivenTwiceGetIdsOfTheirOwn) {
  FileTree tree({"lists/1.nii", "lists/2.nii", "lists/3.nii"});
  tree.add(
      "lists/cases.csv",
      "case_id,t1,flair\nabc,1.nii,2.nii\nx y,2.nii,1.nii\nABC,3.nii,2.nii\nabc,2.nii,3.nii\n");
  const ScanDiscovery found = discover_scans({tree / "lists/cases.csv"}, kChannels);
  ASSERT_EQ(found.cases.size(), 4u);
  std::set<std::string> ids;
  for (const ScanCase& scan : found.cases) {
    EXPECT_EQ(scan.error, "");
    EXPECT_TRUE(is_valid_case_id(scan.case_id)) << scan.case_id;
    ids.insert(lower_case(scan.case_id));
  }
  EXPECT_EQ(ids.size(), 4u);
  EXPECT_TRUE(ids.contains("abc"));
}

TEST(Manifest, NoRowIsNoCase) {
  FileTree tree;
  EXPECT_PRED_FORMAT2(IsSubstring, "cases.csv: no case found: no row below the header",
                      message_thrown<Error>([&] { read(tree, "case_id,t1,flair\n,,\n"); }));
  EXPECT_PRED_FORMAT2(IsSubstring, "cases.csv: no case found: no row below the header",
                      message_thrown<Error>([&] { read(tree, "case_id,t1,flair\n"); }));
}

TEST(Manifest, IsFoundByItsEnding) {
  FileTree tree({"1.nii", "2.nii"});
  tree.add("Cases.CSV", "case_id,t1,flair,note\nb,1.nii,2.nii,\na,1.nii,2.nii,\n");
  const ScanDiscovery found = discover_scans({tree / "Cases.CSV"}, kChannels);
  EXPECT_EQ(found.layout, ScanLayout::kManifest);
  EXPECT_EQ(ids_of(found), (Names{"a", "b"}));
  EXPECT_EQ(found.ignored, (Names{"Cases.CSV: column 'note' is no channel of the model"}));
}

}  // namespace
}  // namespace mcvol
