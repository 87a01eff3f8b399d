#include <map>

#include "io/scans/file_tree.h"
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace mcvol {
namespace {

using Names = std::vector<std::string>;
using Errors = std::map<std::string, std::string>;
using testing::IsSubstring;

/// The failed ones.
Errors errors_in(const FileTree& tree, ScanLayout layout = ScanLayout::kAuto) {
  Errors errors;
  for (const ScanCase& scan : discover({tree.root()}, layout).cases) {
    EXPECT_EQ(scan.error.empty(), !scan.channel_files.empty()) << scan.case_id;
    if (!scan.error.empty()) errors[scan.case_id] = scan.error;
  }
  return errors;
}

const std::string kDicom = std::string(128, '\0') + "DICM and more";

TEST(LostScans, CapitalsAreRead) {
  FileTree tree;
  add_case(tree, "a/a", ".NII.GZ");
  add_case(tree, "b/b", ".Nii");
  EXPECT_EQ(ids_of(discover({tree.root()})), (Names{"a", "b"}));
  EXPECT_TRUE(errors_in(tree).empty());
}

TEST(LostScans, OtherPackingAndFormatsAreTheirCasesErrorWithWhatToDo) {
  FileTree tree;
  add_case(tree, "good/good");
  for (const char* ending : {".nii.bz2", ".nii.xz", ".nii.zst"}) {
    const std::string id = std::string("p") + (ending + 5);
    add_case(tree, id + "/" + id, ending);
  }
  add_case(tree, "mgz/mgz", ".mgz");
  const Errors errors = errors_in(tree);
  ASSERT_EQ(errors.size(), 4u);
  EXPECT_PRED_FORMAT2(IsSubstring,
                      "pbz2_t1.nii.bz2: packed otherwise than by gzip, which mcvol does not read; "
                      "unpack first",
                      errors.at("pbz2"));
  EXPECT_PRED_FORMAT2(IsSubstring,
                      "mgz_t1.mgz: FreeSurfer .mgz, which mcvol does not read; convert with "
                      "mri_convert",
                      errors.at("mgz"));
}

TEST(LostScans, WhatAnImageWasMadeOfIsNoSecondFileOfItsChannel) {
  FileTree tree;
  add_case(tree, "a/a");
  add_case(tree, "a/a", ".mgz");
  EXPECT_TRUE(errors_in(tree).empty());
}

TEST(LostScans, OneChannelOfAnotherFormatIsNamed) {
  FileTree tree({"a/a_t1.nii.gz", "a/a_t1ce.mnc", "a/a_t2.nii.gz", "a/a_flair.nii.gz"});
  EXPECT_EQ(errors_in(tree),
            (Errors{{"a", "a_t1ce.mnc: MINC, which mcvol does not read; convert with mnc2nii"}}));
}

TEST(LostScans, DicomIsACaseOfItsFolderByEndingOrContent) {
  FileTree tree;
  add_case(tree, "good/good");
  for (const char* file : {"p2/series1/1.dcm", "p2/series2/1.dcm"}) tree.add(file);
  for (const char* file : {"p3/IM1", "p3/IM2", "p3/IM3", "p3/IM4"}) tree.add(file, kDicom);
  for (int n = 0; n < 100; ++n) tree.add("notes/" + std::to_string(n) + ".txt");
  EXPECT_EQ(errors_in(tree),
            (Errors{{"p2",
                     "2 DICOM file(s) such as 1.dcm, which mcvol does not read; convert with "
                     "dcm2niix"},
                    {"p3",
                     "4 DICOM file(s) such as IM1, which mcvol does not read; convert with "
                     "dcm2niix"}}));
}

TEST(LostScans, DicomAloneIsACaseToo) {
  EXPECT_EQ(errors_in(FileTree({"1.dcm", "2.dcm"})).count("data"), 1u);
  EXPECT_EQ(errors_in(FileTree({"DICOMDIR"})).count("data"), 1u);
  FileTree tree({"README"});
  tree.add("s/1.2.840.1", kDicom);
  EXPECT_EQ(errors_in(tree).count("s"), 1u);
}

TEST(LostScans, FormatsAloneAreNamedWithWhatToConvertWith) {
  const std::vector<std::pair<std::string, std::string>> expected{
      {"T1.mgz", "convert with mri_convert"},   {"x_t1.nhdr", "save as one .nrrd"},
      {"x_t1.mhd", "save as one .mha"},         {"x_t1.img", "fslchfiletype or nibabel"},
      {"x_t1.HDR", "fslchfiletype or nibabel"}, {"scans.zip", "unpack first"}};
  for (const auto& [file, advice] : expected) {
    const Errors errors = errors_in(FileTree({file}));
    ASSERT_EQ(errors.size(), 1u) << file;
    EXPECT_PRED_FORMAT2(IsSubstring, advice, errors.begin()->second);
  }
}

TEST(LostScans, FolderWithoutAnImageBesideCasesIsACase) {
  FileTree tree({"p3/p3_t1.json", "p4/p4_seg.nii.gz", "p5/anat/.hidden", "logs/1.txt",
                 "figures/plot.png", "references/p1_seg.nii.gz", "code/.keep"});
  add_case(tree, "p1/p1");
  std::filesystem::create_directories(tree / "p2");
  EXPECT_EQ(errors_in(tree), (Errors{{"p2", "an empty folder: there is no file in it"},
                                     {"p3", "no image, only p3_t1.json; where are its images?"},
                                     {"p4", "no image, only p4_seg.nii.gz; where are its images?"},
                                     {"p5", "an empty folder: there is no file in it"}}));
}

TEST(LostScans, FoldersOfSystemsAreNoCases) {
  FileTree tree({"__MACOSX/p1/._p1_t1.nii.gz", "@eaDir/p1/x@SynoEAStream"});
  add_case(tree, "p1/p1");
  for (const char* folder : {"System Volume Information", "$RECYCLE.BIN/S-1-5", "lost+found"}) {
    std::filesystem::create_directories(tree / folder);
  }
  EXPECT_EQ(errors_in(tree), Errors{});
}

TEST(LostScans, DownloadsThatHaveNotEndedAreTheirCases) {
  FileTree tree({"p2/p2_t1.nii.gz.part", "p3/p3_flair.nii.gz.crdownload", "p1/notes.pdf.part"});
  add_case(tree, "p1/p1");
  const Errors errors = errors_in(tree);
  ASSERT_EQ(errors.size(), 2u);
  EXPECT_PRED_FORMAT2(
      IsSubstring,
      "p2_t1.nii.gz.part: a download that has not ended, which mcvol does not read; "
      "wait for it, or fetch it again",
      errors.at("p2"));
  EXPECT_PRED_FORMAT2(IsSubstring, "p3_flair.nii.gz.crdownload: a download", errors.at("p3"));
}

TEST(LostScans, EmptySubjectOfABidsDataSetIsACase) {
  FileTree tree({"dataset_description.json"});
  for (const char* channel : {"_T1w", "_ce-gadolinium_T1w", "_T2w", "_FLAIR"}) {
    tree.add(std::string("sub-01/ses-1/anat/sub-01_ses-1") + channel + ".nii.gz");
  }
  for (const char* folder : {"sub-02/ses-1/anat", "derivatives", "sourcedata/x"}) {
    std::filesystem::create_directories(tree / folder);
  }
  EXPECT_EQ(errors_in(tree), (Errors{{"sub-02", "an empty folder: there is no file in it"}}));
}

TEST(LostScans, ImagesOfNoChannelAreACaseWhereTheyAreNoOtherCases) {
  FileTree tree({"p1/p1_adc.nii.gz", "p2/p2_adc.nii.gz", "p2/p2_b0.nii.gz"});
  add_case(tree, "p1/p1");
  const Errors errors = errors_in(tree);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_PRED_FORMAT2(IsSubstring,
                      "2 image file(s) such as p2_adc.nii.gz, but none whose name ends in _ or - "
                      "and a channel's suffix of layout brats: t1 (t1, t1n, T1w), t1ce (",
                      errors.at("p2"));
}

TEST(LostScans, BesideCasesInOneFolderNamesTellWhoseAnImageIs) {
  FileTree tree(
      {"p1_adc.nii.gz", "p3_adc.nii.gz", "p3_b0.nii.gz", "atlas.nii.gz", "p1_seg.nii.gz"});
  add_case(tree, "p1");
  add_case(tree, "p2");
  const Errors errors = errors_in(tree);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_PRED_FORMAT2(IsSubstring, "2 image file(s) such as p3_adc.nii.gz", errors.at("p3"));
}

TEST(LostScans, WhatIsInACasesFolderIsTheCases) {
  FileTree tree({"p1/fsl/brain.nii.gz", "p1/raw/1.dcm", "p1/notes/x.txt"});
  add_case(tree, "p1/p1");
  std::filesystem::create_directories(tree / "p1/empty");
  EXPECT_TRUE(errors_in(tree).empty());
}

TEST(LostScans, FoldersOfCohortsAreNoCases) {
  FileTree tree({"templates/MNI152.nii.gz"});
  add_case(tree, "HGG/p1/p1");
  add_case(tree, "LGG/p2/p2");
  std::filesystem::create_directories(tree / "LGG/p3");
  EXPECT_EQ(errors_in(tree), (Errors{{"p3", "an empty folder: there is no file in it"}}));
}

TEST(LostScans, NeighboursOfAFolderOfManyCasesAreNoCases) {
  FileTree tree({"labelsTr/a.nii.gz", "dataset.json", "other/x.nii.gz"});
  for (const char* id : {"a", "b"}) {
    for (const char* number : {"_0000", "_0001", "_0002", "_0003"}) {
      tree.add(std::string("imagesTr/") + id + number + ".nii.gz");
    }
  }
  std::filesystem::create_directories(tree / "imagesTs");
  EXPECT_TRUE(errors_in(tree).empty());
}

TEST(LostScans, DicomFolderBesideCasesInOneFolderIsACase) {
  FileTree tree({"p3/1.dcm", "p3/2.dcm", "notes/1.txt", "templates/MNI152.nii.gz"});
  add_case(tree, "p1");
  add_case(tree, "p2");
  std::filesystem::create_directories(tree / "empty");
  const Errors errors = errors_in(tree);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_PRED_FORMAT2(IsSubstring, "2 DICOM file(s) such as 1.dcm", errors.at("p3"));
}

void add_bids(FileTree& tree, const std::string& stem) {
  for (const char* channel : {"_T1w", "_ce-gadolinium_T1w", "_T2w", "_FLAIR"}) {
    tree.add(stem + channel + ".nii.gz");
  }
}

Names ids_in(const Errors& errors) {
  Names ids;
  for (const auto& [id, error] : errors) ids.push_back(id);
  return ids;
}

TEST(LostScans, WithALayoutAskedForThoseOfOthersAreLostCases) {
  FileTree folders;
  add_case(folders, "p1/p1");
  add_bids(folders, "sub-03/anat/sub-03");
  for (const char* number : {"_0000", "_0001", "_0002", "_0003"}) {
    folders.add(std::string("p2/p2") + number + ".nii.gz");
  }
  EXPECT_EQ(ids_in(errors_in(folders, ScanLayout::kNnunet)), (Names{"p1", "sub-03"}));
  EXPECT_EQ(ids_in(errors_in(folders, ScanLayout::kBids)), (Names{"p1", "p2"}));
  EXPECT_PRED_FORMAT2(IsSubstring, "a channel's suffix of layout nnunet: t1 (0000), t1ce (0001)",
                      errors_in(folders, ScanLayout::kNnunet).at("p1"));
  FileTree flat({"p3_0000.nii.gz", "p3_0001.nii.gz"});
  for (const char* id : {"p1", "p2"}) add_case(flat, id);
  EXPECT_EQ(ids_in(errors_in(flat, ScanLayout::kBrats)), (Names{"p3"}));
}

TEST(LostScans, SessionWithoutImagesBesideOneThatHasThemIsACase) {
  FileTree tree({"sub-01/ses-2/anat/1.dcm", "sub-02/ses-1/anat/1.dcm"});
  add_bids(tree, "sub-01/ses-1/anat/sub-01_ses-1");
  std::filesystem::create_directories(tree / "sub-01/ses-3/anat");
  EXPECT_EQ(ids_in(errors_in(tree)), (Names{"sub-01_ses-2", "sub-01_ses-3", "sub-02"}));
}

TEST(LostScans, RawSubjectsWithoutImagesAreCasesThoughOthersComeFromADerivative) {
  FileTree tree({"sub-04/anat/1.dcm", "derivatives/strip/sub-06/anat/notes.txt"});
  for (const char* subject : {"sub-01", "sub-06"}) {
    add_bids(tree, std::string(subject) + "/anat/" + subject);
  }
  add_bids(tree, "derivatives/strip/sub-01/anat/sub-01");
  for (const char* empty : {"sub-05", "derivatives/strip/sub-06/ses-1"}) {
    std::filesystem::create_directories(tree / empty);
  }
  EXPECT_EQ(ids_in(errors_in(tree)), (Names{"sub-04", "sub-05"}));
}

TEST(LostScans, ImagesOfOtherToolsBelowDerivativesAreNoCases) {
  FileTree tree({"derivatives/freesurfer/sub-01/mri/T1.mgz", "sourcedata/sub-01/t1.nii.gz"});
  add_bids(tree, "sub-01/anat/sub-01");
  EXPECT_TRUE(errors_in(tree).empty());
}

TEST(LostScans, FolderOfResultsToComeIsNoCase) {
  FileTree tree({"earlier/.lock"});
  add_case(tree, "p1/p1");
  std::filesystem::create_directories(tree / "results");
  std::filesystem::create_directories(tree / "to_come");
  const ScanDiscovery found =
      discover_scans({tree.root()}, glioma_channels(), {ScanLayout::kAuto, {}, tree / "to_come"});
  EXPECT_EQ(ids_of(found), (Names{"p1"}));
}

TEST(LostScans, FolderThatIsTooDeepIsNotCalledEmpty) {
  FileTree tree({"p2/2/3/4/5/6/7/p2_t1.nii.gz"});
  add_case(tree, "p1/p1");
  EXPECT_EQ(errors_in(tree),
            (Errors{{"p2", "its files lie too many folders deep, and are not looked into"}}));
}

TEST(LostScans, PipesAndLinksToNothingAreNamed) {
  FileTree tree({"a/a_t1ce.nii.gz", "a/a_t2.nii.gz", "a/a_flair.nii.gz"});
  ASSERT_EQ(::mkfifo((tree / "a/a_t1.nii.gz").c_str(), 0600), 0);
  add_case(tree, "b/b");
  tree.link(".git/annex/gone", "c");
  const Errors errors = errors_in(tree);
  EXPECT_EQ(errors.at("a"), "a_t1.nii.gz: a pipe or device; expected a file with the image");
  EXPECT_PRED_FORMAT2(IsSubstring, "a link to a file that is not there", errors.at("c"));
}

TEST(LostScans, DataSetsThatMcvolWroteArePassedOver) {
  FileTree tree;
  add_case(tree, "p1/p1");
  add_case(tree, "derivatives/mcvol/p1/p1");
  tree.add("derivatives/mcvol/dataset_description.json",
           R"({"Name": "x", "BIDSVersion": "1.9.0", "GeneratedBy": [{"Name": "mcvol"}]})");
  tree.add("dataset_description.json", R"({"GeneratedBy": [{"Name": "dcm2niix"}]})");
  const ScanDiscovery found = discover({tree.root()});
  EXPECT_EQ(ids_of(found), (Names{"p1"}));
  EXPECT_EQ(found.ignored, (Names{"data/derivatives/mcvol: written by mcvol"}));
}

TEST(LostScans, ADownloadThatHasNotEndedIsAFailedCaseWhateverItsProgramAndFormat) {
  for (const std::string image : {".nii", ".nii.gz", ".nrrd", ".mha"}) {
    for (const std::string by : {".part", ".partial", ".filepart", ".crdownload", ".download"}) {
      FileTree tree;
      add_case(tree, "p1/p1");
      tree.add("p2/p2_t1" + image + by);
      const Errors errors = errors_in(tree);
      ASSERT_EQ(errors.size(), 1u) << image << by;
      EXPECT_PRED_FORMAT2(IsSubstring, "a download that has not ended", errors.at("p2"));
    }
  }
}

TEST(LostScans, AFileThatAria2HasNotFetchedYetIsNotReadThoughItHasItsSize) {
  for (const std::string image : {".nii", ".nii.gz"}) {
    FileTree tree;
    add_case(tree, "p1/p1");
    add_case(tree, "p2/p2", image);
    tree.add("p2/p2_t1" + image + ".aria2");
    EXPECT_EQ(errors_in(tree),
              (Errors{{"p2", "p2_t1" + image +
                                 ": a download that has not ended, which mcvol does not read; "
                                 "wait for it, or fetch it again"}}));
  }
}

}  // namespace
}  // namespace mcvol
