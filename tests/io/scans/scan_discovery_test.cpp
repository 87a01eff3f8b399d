#include "mcvol/io/scans/scan_discovery.h"

#include <algorithm>
#include <cstdlib>

#include "io/scans/file_tree.h"
#include <gtest/gtest.h>
#include <unistd.h>

namespace mcvol {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;
using testing::IsSubstring;

Names files_of(const std::string& stem) {
  return {stem + "_t1.nii.gz", stem + "_t1ce.nii.gz", stem + "_t2.nii.gz", stem + "_flair.nii.gz"};
}

std::string error_of(const FileTree& tree) {
  return message_thrown<Error>([&] { discover({tree.root()}); });
}

std::string discovery_error_of(const std::vector<fs::path>& scans,
                               ScanLayout layout = ScanLayout::kAuto) {
  return message_thrown<UsageError>([&] { discover(scans, layout); });
}

TEST(CaseErrors, MissingChannelSaysWhatWasLookedForAndWhere) {
  FileTree tree({"HGG/x/x_t1.nii.gz", "HGG/x/x_t1ce.nii.gz", "HGG/x/x_flair.nii.gz"});
  const ScanDiscovery found = discover({tree.root()});
  ASSERT_EQ(ids_of(found), (Names{"x"}));
  EXPECT_EQ(found.cases[0].error,
            "channel t2 is missing: looked for x_t2, x_t2w, x_T2w (.nii.gz, .nii, .nrrd or .mha) "
            "in data/HGG/x");
  EXPECT_TRUE(found.cases[0].channel_files.empty());
}

TEST(CaseErrors, TwoFilesForAChannelAreNamed) {
  FileTree tree(files_of("x/x"));
  tree.add("x/x_t1.nii");
  EXPECT_EQ(discover({tree.root()}).cases[0].error,
            "2 files for channel t1: x_t1.nii, x_t1.nii.gz; keep one in the folder or use a "
            "manifest");
  FileTree other(files_of("x/x"));
  other.add("x/x_t1n.nii.gz");
  EXPECT_PRED_FORMAT2(IsSubstring, "2 files for channel t1: x_t1.nii.gz, x_t1n.nii.gz",
                      discover({other.root()}).cases[0].error);
}

TEST(CaseErrors, LinkToNothingIsNamed) {
  FileTree tree({"x_t1.nii.gz", "x_t2.nii.gz", "x_flair.nii.gz"});
  tree.link(".git/annex/objects/gone", "x_t1ce.nii.gz");
  EXPECT_PRED_FORMAT2(IsSubstring, "x_t1ce.nii.gz: a link to a file that is not there; fetch it",
                      discover({tree.root()}).cases[0].error);
}

TEST(CaseErrors, OneBadCaseLeavesTheOthers) {
  FileTree tree({"b/b_t1.nii.gz"});
  add_case(tree, "a/a");
  add_case(tree, "c/c");
  const ScanDiscovery found = discover({tree.root()});
  EXPECT_EQ(ids_of(found), (Names{"a", "b", "c"}));
  EXPECT_EQ(found.cases[0].error, "");
  EXPECT_NE(found.cases[1].error, "");
}

TEST(Discovery, FolderGivenTwiceIsSaidToBe) {
  FileTree tree(files_of("case_1/case_1"));
  for (const std::string again : {"", "case_1", "case_1/"}) {
    EXPECT_PRED_FORMAT2(IsSubstring, "given twice, by itself or with a folder above it",
                        discovery_error_of({tree.root(), tree / again}));
  }
}

TEST(Discovery, RowOfAManifestGivenTwiceIsSaidToBeWithBothLines) {
  FileTree tree(files_of("raw/x"));
  const std::string files =
      ",raw/x_t1.nii.gz,raw/x_t1ce.nii.gz,raw/x_t2.nii.gz,raw/x_flair.nii.gz\n";
  tree.add("list.csv", "case_id,t1,t1ce,t2,flair\np1" + files + "\nP1" + files);
  const std::string list = (tree / "list.csv").string();
  EXPECT_EQ(discovery_error_of({tree / "list.csv"}), list + ", line 2: given twice, here and by " +
                                                         list +
                                                         ", line 4 (case_id 'p1'); name it once");
}

TEST(Discovery, ResultsAreNoScansButWhatStandsBesideThemIs) {
  FileTree tree({"run.json", "sub/run.json"});
  for (const std::string inside : {"", "sub/"}) {
    for (const char* kept : {"cases", "maps", "thumbnails", "shards"}) {
      add_case(tree, inside + kept + "/result/result");
    }
  }
  for (const char* stem : {"a/a", "more_cases/b/b", "sub/c/c", "sub/d/maps/d"}) {
    add_case(tree, stem);
  }
  // Without run.json they are folders like any other.
  add_case(tree, "other/cases/e/e");
  EXPECT_EQ(ids_of(discover({tree.root()})), (Names{"a", "b", "c", "d", "e"}));
}

TEST(Discovery, HiddenFilesAndFoldersAreLeftOut) {
  FileTree tree(files_of("x/x"));
  for (const char* file : {"x/._x_t1.nii.gz", ".cache/y_t1.nii.gz", ".DS_Store"}) tree.add(file);
  const ScanDiscovery found = discover({tree.root()});
  EXPECT_EQ(ids_of(found), (Names{"x"}));
  EXPECT_EQ(found.cases[0].error, "");
  EXPECT_TRUE(found.ignored.empty());
}

TEST(Discovery, WhatIsPassedOverIsCountedByReason) {
  FileTree tree(files_of("x/x"));
  for (const char* file : {"atlas.nii.gz", "map.nii", "x/raw/1.dcm", "x/raw/2.dcm", "notes.txt"}) {
    tree.add(file);
  }
  EXPECT_EQ(discover({tree.root()}).ignored,
            (Names{"data/atlas.nii.gz (and 1 more): its name ends in no channel's suffix",
                   "data/x/raw/1.dcm (and 1 more): DICOM, which mcvol does not read; convert with "
                   "dcm2niix"}));
}

TEST(Discovery, LinksToFoldersAreFollowedOnce) {
  FileTree elsewhere(files_of("b/b"));
  FileTree tree(files_of("a/a"));
  tree.link("..", "a/loop");
  tree.link("a", "latest");
  tree.link((elsewhere / "b").string(), "0_linked");
  const ScanDiscovery found = discover({tree.root()});
  EXPECT_EQ(ids_of(found), (Names{"a", "b"}));
  EXPECT_EQ(found.cases[1].channel_files[0], tree / "0_linked/b_t1.nii.gz");
  EXPECT_EQ(found.ignored, (Names{"data/latest: a link to the same folder as data/a",
                                  "data/a/loop: a link to the same folder as data"}));
}

TEST(Discovery, FoldersTooDeepAreNamedNotSearched) {
  FileTree tree(files_of("1/2/3/4/5/6/x"));
  add_case(tree, "1/2/3/4/5/6/7/y");
  const ScanDiscovery found = discover({tree.root()});
  EXPECT_EQ(ids_of(found), (Names{"x"}));
  EXPECT_EQ(found.ignored,
            (Names{"data/1/2/3/4/5/6/7: more than 6 folders deep, not looked into"}));
}

/// Gives up root's right to read everything, for as long as it lives.
class AsNobody {
 public:
  AsNobody() : was_root_(::geteuid() == 0), changed_(was_root_ && ::seteuid(65534) == 0) {}
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;
  ~AsNobody() {
    if (changed_ && ::seteuid(0) != 0) std::abort();
  }
  bool works() const { return !was_root_ || changed_; }

 private:
  bool was_root_, changed_;
};

TEST(Discovery, FolderThatCannotBeListedIsAFailedCase) {
  FileTree tree(files_of("a/a"));
  add_case(tree, "b/b");
  fs::permissions(tree / "b", fs::perms::none);
  ScanDiscovery found;
  {
    const AsNobody nobody;
    std::error_code error;
    const fs::directory_iterator listed(tree.root(), error);
    if (!nobody.works() || error) GTEST_SKIP() << "cannot be tried with this user's rights";
    found = discover({tree.root()});
  }
  fs::permissions(tree / "b", fs::perms::owner_all);
  ASSERT_EQ(found.cases.size(), 2u);
  EXPECT_EQ(found.cases[0].error, "");
  EXPECT_EQ(found.cases[1].case_id, "b");
  EXPECT_PRED_FORMAT2(IsSubstring, "/b: cannot list the folder: Permission denied",
                      found.cases[1].error);
}

TEST(NoCase, EmptyFolderIsCalledEmpty) {
  FileTree tree;
  EXPECT_EQ(error_of(tree), tree.root().string() + ": no case found: there is no file in it");
  tree.add("notes.txt");
  EXPECT_PRED_FORMAT2(IsSubstring, "no image among its 1 file(s) such as notes.txt",
                      error_of(tree));
}

TEST(NoCase, NiftiOfOtherNamesIsToldTheSuffixes) {
  FileTree tree({"BRATS_001.nii.gz"});
  EXPECT_PRED_FORMAT2(
      IsSubstring,
      "1 image file(s) such as BRATS_001.nii.gz, but none whose name ends in _ or - "
      "and a channel's suffix: t1 (t1, t1n, T1w, 0000), t1ce (",
      error_of(tree));
  add_case(tree, "x");
  EXPECT_PRED_FORMAT2(IsSubstring, "no case found in layout nnunet: 1 image file(s) such as",
                      message_thrown<Error>([&] {
                        discover({FileTree({"BRATS_001.nii.gz"}).root()}, ScanLayout::kNnunet);
                      }));
}

TEST(NoCase, LayoutThatDoesNotFitIsSaidWithTheOneThatDoes) {
  FileTree tree;
  add_case(tree, "x");
  add_case(tree, "y");
  for (const auto layout : {ScanLayout::kNnunet, ScanLayout::kBids}) {
    EXPECT_PRED_FORMAT2(IsSubstring,
                        "the layout does not fit: --layout brats finds 2 case(s), such as x",
                        message_thrown<Error>([&] { discover({tree.root()}, layout); }));
  }
}

TEST(NoCase, SegmentationsAloneAreNoCase) {
  EXPECT_PRED_FORMAT2(IsSubstring, "no case found",
                      error_of(FileTree({"x_seg.nii.gz", "y-seg.nii.gz", "labels/z_t1.nii.gz"})));
}

TEST(SeveralScans, AreMergedAndSorted) {
  FileTree tree({"new.csv", "m.nii.gz", "1.nii.gz", "2.nii.gz", "3.nii.gz"});
  add_case(tree, "b/b");
  add_case(tree, "a/a");
  tree.add("new.csv", "case_id,t1,t1ce,t2,flair\nB2,m.nii.gz,1.nii.gz,2.nii.gz,3.nii.gz\n");
  const ScanDiscovery found = discover({tree / "b", tree / "new.csv", tree / "a"});
  EXPECT_EQ(ids_of(found), (Names{"B2", "a", "b"}));
  EXPECT_EQ(found.layout, ScanLayout::kBrats);
}

TEST(SeveralScans, OneWithoutACaseIsAFailedRow) {
  FileTree tree({"raw_7/1.dcm"});
  add_case(tree, "a/a");
  const ScanDiscovery found = discover({tree / "a", tree / "raw_7"});
  EXPECT_EQ(ids_of(found), (Names{"a", "raw_7"}));
  EXPECT_PRED_FORMAT2(IsSubstring, "1 DICOM file(s)", found.cases[1].error);
  tree.add("notes/1.txt");
  EXPECT_EQ(ids_of(discover({tree / "a", tree / "notes"})), (Names{"a", "notes"}));
  EXPECT_PRED_FORMAT2(IsSubstring, "notes: no case found", message_thrown<Error>([&] {
                        discover({tree / "notes", tree / "notes"});
                      }));
}

TEST(SeveralScans, PathThatIsNotThereEndsTheRun) {
  FileTree tree(files_of("a/a"));
  EXPECT_EQ(message_thrown<Error>([&] {
              discover({tree / "a", "no/such/folder"});
            }),
            "no/such/folder: no such file or folder");
}

TEST(SeveralScans, SingleImageIsNotAScanFolder) {
  FileTree tree(files_of("a/a"));
  EXPECT_PRED_FORMAT2(IsSubstring,
                      "a_t1.nii.gz: expected a folder of scans or a manifest .csv, found a file; "
                      "name the folder it is in",
                      discovery_error_of({tree / "a/a_t1.nii.gz"}));
  EXPECT_PRED_FORMAT2(IsSubstring, "expected a manifest .csv, found a folder",
                      discovery_error_of({tree / "a"}, ScanLayout::kManifest));
  discovery_error_of({});
}

TEST(Discovery, ResultDoesNotDependOnTheOrderOfScans) {
  FileTree tree;
  std::vector<fs::path> scans;
  for (int index = 0; index < 20; ++index) {
    const std::string id = "case" + std::to_string(index);
    add_case(tree, id + "/" + id);
    scans.push_back(tree / id);
  }
  const Names ids = ids_of(discover(scans));
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  std::reverse(scans.begin(), scans.end());
  EXPECT_EQ(ids_of(discover(scans)), ids);
  EXPECT_EQ(ids_of(discover({tree.root()})), ids);
}

}  // namespace
}  // namespace mcvol
