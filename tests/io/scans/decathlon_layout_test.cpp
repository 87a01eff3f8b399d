#include "mcvol/io/scans/scan_discovery.h"

#include "io/scans/file_tree.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using Names = std::vector<std::string>;
using testing::IsSubstring;

/// The glioma model's channels as they lie in a file of the Medical Segmentation Decathlon.
std::vector<ChannelPattern> channels_of_4d_files() {
  std::vector<ChannelPattern> channels = glioma_channels();
  channels[0].index_4d = 1;
  channels[1].index_4d = 2;
  channels[2].index_4d = 3;
  channels[3].index_4d = 0;
  return channels;
}

ScanDiscovery discover_4d(const FileTree& tree, ScanLayout layout = ScanLayout::kAuto) {
  return discover_scans({tree.root()}, channels_of_4d_files(), {layout, {}});
}

TEST(DecathlonLayout, AFileOfTheImagesFoldersIsACaseWithTheChannelsWhereTheModelSays) {
  const FileTree tree({"Task01/imagesTr/BRATS_001.nii.gz", "Task01/imagesTr/BRATS_002.nii.gz",
                       "Task01/imagesTr/._BRATS_001.nii.gz", "Task01/imagesTs/BRATS_485.nii.gz",
                       "Task01/labelsTr/BRATS_001.nii.gz", "Task01/dataset.json"});
  const ScanDiscovery found = discover_4d(tree);
  EXPECT_EQ(found.layout, ScanLayout::kDecathlon);
  EXPECT_EQ(ids_of(found), (Names{"BRATS_001", "BRATS_002", "BRATS_485"}));
  EXPECT_EQ(names_of(found.cases[0]), (Names{"BRATS_001.nii.gz[1]", "BRATS_001.nii.gz[2]",
                                             "BRATS_001.nii.gz[3]", "BRATS_001.nii.gz[0]"}));
  EXPECT_EQ(found.ignored, Names{});
}

TEST(DecathlonLayout, OtherFoldersAndNnunetsNamesAreTakenWhereItIsAskedForOnly) {
  FileTree tree({"scans/a.nii.gz", "scans/b.nii.gz", "scans/a_seg.nii.gz"});
  EXPECT_EQ(ids_of(discover_4d(tree, ScanLayout::kDecathlon)), (Names{"a", "b"}));
  EXPECT_PRED_FORMAT2(IsSubstring, "no case found: 3 image file(s) such as a.nii.gz",
                      message_thrown<Error>([&] { discover_4d(tree); }));
  FileTree nnunet;
  for (const char* number : {"0", "1", "2", "3"}) {
    nnunet.add(std::string("imagesTr/p1_000") + number + ".nii.gz");
  }
  EXPECT_EQ(discover_4d(nnunet).layout, ScanLayout::kNnunet);
  EXPECT_EQ(ids_of(discover_4d(nnunet)), Names{"p1"});
}

TEST(DecathlonLayout, NamesOfOtherLayoutsChannelsAreTheirs) {
  FileTree brats;
  add_case(brats, "imagesTr/p1");
  add_case(brats, "imagesTr/p2");
  EXPECT_EQ(discover_4d(brats).layout, ScanLayout::kBrats);
  EXPECT_EQ(ids_of(discover_4d(brats)), (Names{"p1", "p2"}));
  const FileTree bids({"imagesTr/sub-01_T1w.nii.gz", "imagesTr/sub-01_ce-gadolinium_T1w.nii.gz",
                       "imagesTr/sub-01_T2w.nii.gz", "imagesTr/sub-01_FLAIR.nii.gz"});
  EXPECT_EQ(discover_4d(bids).layout, ScanLayout::kBids);
}

TEST(DecathlonLayout, WhatAScanWasMadeOfIsNoCaseBesideIt) {
  const FileTree tree({"imagesTr/a.nii.gz", "imagesTr/a.hdr", "imagesTr/a.img", "imagesTr/b.nii.gz",
                       "imagesTr/b.nii", "imagesTr/c.nii.gz.part", "imagesTr/c.nii.gz"});
  const ScanDiscovery found = discover_4d(tree);
  EXPECT_EQ(ids_of(found), (Names{"a", "b", "c"}));
  EXPECT_EQ(found.cases[0].error, "");
  EXPECT_EQ(found.cases[1].error,
            "2 files of one name: b.nii, b.nii.gz; keep one in the folder or use a manifest");
  EXPECT_EQ(found.cases[2].error, "");
}

TEST(DecathlonLayout, AFolderOfTheDataSetMayBeEmpty) {
  FileTree tree({"imagesTr/a.nii.gz"});
  std::filesystem::create_directory(tree / "imagesTs");
  EXPECT_EQ(ids_of(discover_4d(tree)), Names{"a"});
}

TEST(DecathlonLayout, AFileInAnotherFormatIsAFailedCase) {
  const FileTree tree({"imagesTr/a.nii.gz", "imagesTr/b.nii.bz2"});
  const ScanDiscovery found = discover_4d(tree);
  EXPECT_EQ(ids_of(found), (Names{"a", "b"}));
  EXPECT_PRED_FORMAT2(IsSubstring, "b.nii.bz2: packed otherwise", found.cases.at(1).error);
}

TEST(DecathlonLayout, AModelWithoutIndicesIsToldOfTheManifest) {
  const FileTree tree({"imagesTr/a.nii.gz"});
  EXPECT_PRED_FORMAT2(IsSubstring, "which names the images of a 4-D file as a.nii.gz[0]",
                      message_thrown<Error>([&] { discover({tree.root()}); }));
  EXPECT_PRED_FORMAT2(
      IsSubstring, "the model does not say which image of a 4-D file is which channel",
      message_thrown<UsageError>([&] { discover({tree.root()}, ScanLayout::kDecathlon); }));
}

}  // namespace
}  // namespace mcvol
