#include "mcvol/io/scans/scan_discovery.h"

#include "io/scans/file_tree.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using Names = std::vector<std::string>;
using testing::IsSubstring;

/// The four channels of a case, by file names.
Names files_of(const std::string& stem, const Names& endings) {
  Names files;
  for (const std::string& ending : endings) files.push_back(stem + ending + ".nii.gz");
  return files;
}

void add_all(FileTree& tree, const Names& files) {
  for (const std::string& file : files) tree.add(file);
}

const Names kBrats2021{"_t1", "_t1ce", "_t2", "_flair", "_seg"};
const Names kBrats2023{"-t1n", "-t1c", "-t2w", "-t2f", "-seg"};
const Names kNnunet{"_0000", "_0001", "_0002", "_0003"};
const Names kBids{"_T1w", "_ce-gadolinium_T1w", "_T2w", "_FLAIR"};

TEST(NnunetLayout, SaysThatANumberAloneChoseTheChannels) {
  const std::vector<ChannelPattern> patterns{{"t1", {"t1", "0000"}}};
  FileTree numbered, named;
  numbered.add("p1_0000.nii.gz");
  named.add("p1_t1.nii.gz");
  EXPECT_TRUE(discover_scans({numbered.root()}, patterns, {ScanLayout::kAuto, {}}).by_number);
  EXPECT_FALSE(discover_scans({named.root()}, patterns, {ScanLayout::kAuto, {}}).by_number);
}

TEST(BratsLayout, FoldersOfCasesAreFoundAtAnyDepthWithChannelsInOrder) {
  FileTree tree;
  add_all(tree, files_of("HGG/BraTS19_b/BraTS19_b", kBrats2021));
  add_all(tree, files_of("LGG/BraTS19_a/BraTS19_a", kBrats2021));
  const ScanDiscovery found = discover({tree.root()});
  EXPECT_EQ(found.layout, ScanLayout::kBrats);
  EXPECT_EQ(ids_of(found), (Names{"BraTS19_a", "BraTS19_b"}));
  EXPECT_EQ(found.cases[0].error, "");
  EXPECT_EQ(found.cases[0].channel_files[1], tree / "LGG/BraTS19_a/BraTS19_a_t1ce.nii.gz");
  EXPECT_EQ(names_of(found.cases[1]), files_of("BraTS19_b", {"_t1", "_t1ce", "_t2", "_flair"}));
  EXPECT_TRUE(found.ignored.empty());
}

TEST(BratsLayout, NamesOf2023WithHyphensAreFound) {
  FileTree tree;
  add_all(tree, files_of("BraTS-GLI-00005-000/BraTS-GLI-00005-000", kBrats2023));
  const ScanDiscovery found = discover({tree.root()});
  EXPECT_EQ(ids_of(found), (Names{"BraTS-GLI-00005-000"}));
  EXPECT_EQ(names_of(found.cases[0]),
            files_of("BraTS-GLI-00005-000", {"-t1n", "-t1c", "-t2w", "-t2f"}));
}

TEST(BratsLayout, ManyCasesMayLieInOneFolderPackedOrNot) {
  FileTree tree({"a_t1.nii", "a_t1ce.nii", "a_t2.nii", "a_flair.nii"});
  add_all(tree, files_of("b", kBrats2021));
  const ScanDiscovery found = discover({tree.root()});
  EXPECT_EQ(ids_of(found), (Names{"a", "b"}));
  EXPECT_EQ(names_of(found.cases[0])[0], "a_t1.nii");
}

TEST(BratsLayout, OneCaseFolderIsEnough) {
  FileTree tree;
  add_all(tree, files_of("case_07/case_07", kBrats2021));
  EXPECT_EQ(ids_of(discover({tree / "case_07"})), (Names{"case_07"}));
  EXPECT_EQ(ids_of(discover({tree / "case_07/"})), (Names{"case_07"}));
}

TEST(BratsLayout, FilesNamedByTheirChannelOnlyTakeTheirFoldersName) {
  FileTree tree(
      {"p1/t1.nii.gz", "p1/t1ce.nii.gz", "p1/t2.nii.gz", "p1/flair.nii.gz", "p1/seg.nii.gz"});
  EXPECT_EQ(ids_of(discover({tree.root()})), (Names{"p1"}));
  EXPECT_EQ(ids_of(discover({tree / "p1"})), (Names{"p1"}));
}

TEST(BratsLayout, OtherCaseOfLettersIsFound) {
  FileTree tree(files_of("x", {"_T1", "_T1CE", "_T2", "_FLAIR"}));
  EXPECT_EQ(ids_of(discover({tree.root()})), (Names{"x"}));
}

TEST(BratsLayout, SuffixInTheSameCaseComesFirst) {
  FileTree tree({"x_a.nii.gz", "x_A.nii.gz"});
  const ScanDiscovery found = discover_scans({tree.root()}, {{"upper", {"A"}}, {"lower", {"a"}}});
  ASSERT_EQ(found.cases.size(), 1u);
  EXPECT_EQ(names_of(found.cases[0]), (Names{"x_A.nii.gz", "x_a.nii.gz"}));
}

TEST(NnunetLayout, TrainingAndTestImagesAreFoundAndLabelsAreNot) {
  FileTree tree({"dataset.json", "labelsTr/gli_0001.nii.gz", "labelsTr/gli_0002.nii.gz"});
  add_all(tree, files_of("imagesTr/gli_0001", kNnunet));
  add_all(tree, files_of("imagesTs/gli_0002", kNnunet));
  const ScanDiscovery found = discover({tree.root()});
  EXPECT_EQ(found.layout, ScanLayout::kNnunet);
  EXPECT_EQ(ids_of(found), (Names{"gli_0001", "gli_0002"}));
  EXPECT_EQ(names_of(found.cases[0]), files_of("gli_0001", kNnunet));
  EXPECT_EQ(ids_of(discover({tree / "imagesTr"})), (Names{"gli_0001"}));
}

TEST(NnunetLayout, MissingChannelIsNamedByItsNumber) {
  FileTree tree(files_of("imagesTr/gli_1", {"_0000", "_0001", "_0003"}));
  EXPECT_EQ(discover({tree.root()}).cases[0].error,
            "channel t2 is missing: looked for gli_1_0002 (.nii.gz, .nii, .nrrd or .mha) in "
            "data/imagesTr");
}

TEST(NnunetLayout, ChannelWithoutANumberInTheModelIsNamed) {
  FileTree tree({"x_0000.nii.gz"});
  const ScanDiscovery found =
      discover_scans({tree.root()}, {{"t1", {"0000"}}, {"t2", {"t2"}}}, {ScanLayout::kNnunet, {}});
  EXPECT_EQ(found.cases.at(0).error,
            "channel t2 is missing: the model has no suffix for it in this layout");
}

TEST(BidsLayout, SubjectAndSessionNameTheCase) {
  FileTree tree({"sub-01/ses-1/anat/sub-01_ses-1_desc-brain_mask.nii.gz",
                 "sub-01/ses-1/func/sub-01_ses-1_task-rest_bold.nii.gz",
                 "sourcedata/sub-01/ses-1/anat/sub-01_ses-1_T1w.nii.gz"});
  add_all(tree, files_of("sub-01/ses-1/anat/sub-01_ses-1", kBids));
  add_all(tree, files_of("sub-01/ses-2/anat/sub-01_ses-2", kBids));
  add_all(tree, files_of("sub-02/anat/sub-02", kBids));
  const ScanDiscovery found = discover({tree.root()});
  EXPECT_EQ(found.layout, ScanLayout::kBids);
  EXPECT_EQ(ids_of(found), (Names{"sub-01_ses-1", "sub-01_ses-2", "sub-02"}));
  EXPECT_EQ(names_of(found.cases[0]), files_of("sub-01_ses-1", kBids));
  EXPECT_EQ(ids_of(discover({tree / "sub-02"})), (Names{"sub-02"}));
}

TEST(BidsLayout, EntitiesOfSomeChannelsOnlyAreLeftOutOfTheId) {
  FileTree tree(files_of("sub-01/anat/sub-01",
                         {"_acq-mprage_T1w", "_acq-mprage_ce-gadolinium_T1w", "_T2w", "_FLAIR"}));
  const ScanDiscovery found = discover({tree.root()});
  EXPECT_EQ(ids_of(found), (Names{"sub-01"}));
  EXPECT_EQ(found.cases[0].error, "");
}

TEST(BidsLayout, ContrastEntityMayStandAnywhereAndIsNeverAPlainT1) {
  const Names endings{"_space-SRI24_T1w", "_ce-gadolinium_space-SRI24_T1w", "_space-SRI24_T2w",
                      "_space-SRI24_FLAIR"};
  FileTree tree;
  add_all(tree, files_of("sub-01/anat/sub-01", endings));
  add_all(tree, files_of("sub-02/anat/sub-02", {"_ce-gadolinium_T1w", "_T2w", "_FLAIR"}));
  add_all(tree, files_of("sub-03/anat/sub-03", {"_ce-other_T1w", "_T2w", "_FLAIR"}));
  const ScanDiscovery found = discover({tree.root()});
  EXPECT_EQ(ids_of(found), (Names{"sub-01_space-SRI24", "sub-02", "sub-03"}));
  EXPECT_EQ(names_of(found.cases[0]), files_of("sub-01", endings));
  EXPECT_PRED_FORMAT2(IsSubstring, "channel t1 is missing: looked for sub-02_t1, ",
                      found.cases[1].error);
  EXPECT_PRED_FORMAT2(IsSubstring, "channel t1 is missing", found.cases[2].error);
  EXPECT_PRED_FORMAT2(IsSubstring, "channel t1ce is missing", found.cases[2].error);
}

TEST(BidsLayout, EachCompleteSetOfEntitiesIsACase) {
  FileTree tree({"sub-01/anat/sub-01_run-3_T1w.nii.gz"});
  add_all(tree, files_of("sub-01/anat/sub-01_run-1", kBids));
  add_all(tree, files_of("sub-01/anat/sub-01_run-2", kBids));
  const ScanDiscovery found = discover({tree.root()});
  EXPECT_EQ(ids_of(found), (Names{"sub-01_run-1", "sub-01_run-2"}));
  EXPECT_EQ(found.ignored, (Names{"data/sub-01/anat/sub-01_run-3_T1w.nii.gz: the session has all "
                                  "channels under other BIDS entities"}));
}

TEST(BidsLayout, OfSeveralSpacesTheNativeOneIsTakenOrTheOneAskedFor) {
  FileTree tree;
  for (const char* space : {"", "_space-MNIInfant+1", "_space-T1w"}) {
    add_all(tree, files_of(std::string("sub-01/anat/sub-01") + space, kBids));
  }
  for (const char* space : {"_space-T1w", "_space-MNI152"}) {
    add_all(tree, files_of(std::string("sub-02/anat/sub-02") + space, kBids));
  }
  const ScanDiscovery found = discover({tree.root()});
  EXPECT_EQ(ids_of(found), (Names{"sub-01", "sub-02_space-T1w"}));
  EXPECT_EQ(found.ignored.size(), 2u);
  EXPECT_PRED_FORMAT2(IsSubstring,
                      "no space- in the name of the same session is taken; --space chooses another",
                      found.ignored[0]);
  const ScanDiscovery infant =
      discover_scans({tree.root()}, glioma_channels(), {ScanLayout::kAuto, "mniinfant+1"});
  EXPECT_EQ(infant.cases[0].case_id, "sub-01_space-MNIInfant+1");
  EXPECT_EQ(infant.cases[0].error, "");
  EXPECT_EQ(infant.cases[1].error,
            "not in space-mniinfant+1, found: space-MNI152, space-T1w; choose with --space");
}

TEST(BidsLayout, SpacesThatNothingTellsApartAreTheirCasesError) {
  FileTree tree;
  add_all(tree, files_of("sub-01/anat/sub-01_space-A", kBids));
  add_all(tree, files_of("sub-01/anat/sub-01_space-B", kBids));
  add_all(tree, files_of("sub-02/anat/sub-02", kBids));
  const ScanDiscovery found = discover({tree.root()});
  ASSERT_EQ(found.cases.size(), 2u);
  EXPECT_EQ(found.cases[0].error, "in 2 spaces: space-A, space-B; choose one with --space");
  EXPECT_TRUE(found.cases[0].channel_files.empty());
  EXPECT_EQ(found.cases[1].error, "");
}

TEST(BidsLayout, TwoRunsOfOneChannelAreAmbiguous) {
  FileTree tree(files_of("sub-01/anat/sub-01",
                         {"_run-1_T1w", "_run-2_T1w", "_ce-gadolinium_T1w", "_T2w", "_FLAIR"}));
  EXPECT_PRED_FORMAT2(IsSubstring,
                      "2 files for channel t1: sub-01_run-1_T1w.nii.gz, sub-01_run-2_T1w.nii.gz",
                      discover({tree.root()}).cases[0].error);
}

TEST(BidsLayout, DerivativeComesBeforeRawDataOfItsOwnSessionsOnly) {
  FileTree tree({"derivatives/masks/sub-01/anat/sub-01_desc-brain_mask.nii.gz"});
  add_all(tree, files_of("sub-01/anat/sub-01", kBids));
  add_all(tree, files_of("sub-02/ses-1/anat/sub-02_ses-1", kBids));
  add_all(tree, files_of("sub-02/ses-2/anat/sub-02_ses-2", kBids));
  add_all(tree, files_of("derivatives/strip/sub-01/anat/sub-01_desc-brain", kBids));
  add_all(tree, files_of("derivatives/strip/sub-02/ses-2/anat/sub-02_ses-2_desc-brain", kBids));
  const ScanDiscovery found = discover({tree.root()});
  EXPECT_EQ(ids_of(found), (Names{"sub-01_desc-brain", "sub-02_ses-1", "sub-02_ses-2_desc-brain"}));
  EXPECT_EQ(found.ignored, (Names{"data/sub-01/anat/sub-01_FLAIR.nii.gz (and 1 more): "
                                  "derivatives/strip is taken instead"}));
}

TEST(BidsLayout, RawDataInAFolderOfTheirOwnAreOfTheSameSessions) {
  FileTree tree;
  add_all(tree, files_of("rawdata/sub-01/anat/sub-01", kBids));
  add_all(tree, files_of("rawdata/sub-02/anat/sub-02", kBids));
  add_all(tree, files_of("derivatives/strip/sub-01/anat/sub-01_desc-brain", kBids));
  EXPECT_EQ(ids_of(discover({tree.root()})), (Names{"sub-01_desc-brain", "sub-02"}));
}

TEST(BidsLayout, DerivativeWithoutACompleteCaseLeavesTheRawData) {
  FileTree tree({"derivatives/fmriprep/sub-01/anat/sub-01_desc-preproc_T1w.nii.gz"});
  add_all(tree, files_of("sub-01/anat/sub-01", kBids));
  EXPECT_EQ(ids_of(discover({tree.root()})), (Names{"sub-01"}));
}

TEST(BidsLayout, TwoDerivativesAreAQuestionForTheUser) {
  FileTree tree;
  add_all(tree, files_of("derivatives/one/sub-01/anat/sub-01", kBids));
  add_all(tree, files_of("derivatives/two/sub-01/anat/sub-01", kBids));
  EXPECT_PRED_FORMAT2(
      IsSubstring,
      "more than one BIDS derivative holds scans: derivatives/one, derivatives/two; name",
      message_thrown<UsageError>([&] { discover({tree.root()}); }));
  EXPECT_EQ(ids_of(discover({tree / "derivatives/two"})), (Names{"sub-01"}));
}

TEST(AutoLayout, MostCompleteCasesWinAndTheOthersAreFailedCases) {
  FileTree tree;
  for (const char* id : {"a", "b"}) add_all(tree, files_of(id, kBrats2021));
  for (const char* id : {"a", "c"}) add_all(tree, files_of(id, kNnunet));
  add_all(tree, files_of("d", kBrats2021));
  const ScanDiscovery found = discover({tree.root()});
  EXPECT_EQ(found.layout, ScanLayout::kBrats);
  EXPECT_EQ(ids_of(found), (Names{"a", "b", "c", "d"}));
  EXPECT_EQ(found.cases[0].error, "");
  EXPECT_EQ(found.cases[2].error,
            "a case of layout nnunet among those of layout brats; --layout nnunet takes it");
  EXPECT_EQ(found.ignored, (Names{"data/a_0000.nii.gz: a case of layout nnunet; --layout nnunet "
                                  "takes it"}));
  const ScanDiscovery numbered = discover({tree.root()}, ScanLayout::kNnunet);
  EXPECT_EQ(ids_of(numbered), (Names{"a", "b", "c", "d"}));
  for (const ScanCase& scan : numbered.cases) {
    EXPECT_EQ(scan.error.empty(), scan.case_id == "a" || scan.case_id == "c") << scan.error;
  }
}

TEST(AutoLayout, TieIsAQuestionForTheUser) {
  FileTree tree(files_of("a", kBrats2021));
  add_all(tree, files_of("c", kNnunet));
  EXPECT_PRED_FORMAT2(
      IsSubstring,
      "holds 1 complete case(s) in each of two layouts, nnunet and brats; choose one with --layout",
      message_thrown<UsageError>([&] { discover({tree.root()}); }));
}

TEST(AutoLayout, BratsNamesThatStartLikeBidsAreFound) {
  for (const Names& endings : {kBrats2021, kBrats2023}) {
    FileTree tree(files_of("sub-01/sub-01", endings));
    const ScanDiscovery found = discover({tree.root()});
    EXPECT_EQ(ids_of(found), (Names{"sub-01"}));
    EXPECT_EQ(found.cases[0].error, "");
  }
}

}  // namespace
}  // namespace mcvol
