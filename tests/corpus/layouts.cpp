#include "corpus/kinds.h"

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;

/// Folders of files of which names alone count.
class Trees {
 public:
  explicit Trees(Kind& kind) : kind_(kind) {}

  fs::path put(const std::string& tree, const std::vector<std::string>& files) const {
    fs::create_directories(kind_.folder() / tree);
    for (const std::string& file : files) write_bytes(kind_.folder() / tree / file, "x");
    return kind_.folder() / tree;
  }
  /// A list of a tree with these cases.
  void listed(const std::string& tree, const std::vector<std::string>& files,
              const std::vector<BatchCase>& cases,
              const std::vector<std::string>& more = {}) const {
    kind_.listed(put(tree, files), cases, more);
  }
  /// A tree with which predict cannot start.
  void refused(const std::string& tree, const std::vector<std::string>& files,
               const std::string& what, const Expected& expected,
               const std::vector<std::string>& more = {}) const {
    kind_.command(tree, what, kind_.predict(put(tree, files), "unused", more), expected);
  }

 private:
  Kind& kind_;
};

/// What a row of the list has to say of a case that is taken.
Expected taken(const std::string& files) { return {0, files, {}, ""}; }

void add_brats_and_nnunet(const Trees& trees) {
  trees.listed(
      "brats_nested",
      {"HGG/a/a_t1.nii.gz", "HGG/a/a_flair.nii.gz", "HGG/a/a_seg.nii.gz", "LGG/b/b_t1.nii.gz",
       "LGG/b/b_flair.nii.gz"},
      {{"a", "BraTS, cases in folders of folders", taken("t1=a_t1.nii.gz"), "brats_nested"},
       {"b", "another in the folder beside", taken("t1=b_t1.nii.gz"), "brats_beside"}});
  trees.listed("one_folder",
               {"a_t1.nii.gz", "a_flair.nii.gz", "b_t1.nii.gz", "b_flair.nii.gz", "c_t1.nii.gz"},
               {{"a", "many cases in one folder", taken("flair=a_flair.nii.gz"), "one_folder"},
                {"b", "another of them", taken("flair=b_flair.nii.gz"), "one_folder_b"},
                {"c", "one of them that lacks a channel", failed("channel flair is missing"),
                 "one_folder_c"}});
  trees.listed(
      "nnunet",
      {"imagesTs/p1_0000.nii.gz", "imagesTs/p1_0001.nii.gz", "labelsTs/p1.nii.gz",
       "imagesTs/p2_0000.nii.gz", "dataset.json"},
      {{"p1", "nnU-Net, where only numbers choose: said in the log", taken("0001"), "nnunet"},
       {"p2", "nnU-Net, a channel is not there", failed("channel flair is missing"),
        "nnunet_lacking"}});
  trees.listed(
      "too_deep", {"1/2/3/4/5/6/7/p_t1.nii.gz", "a/a_t1.nii.gz", "a/a_flair.nii.gz"},
      {{"a", "a case beside a folder of seven folders", taken("t1=a_t1.nii.gz"), "beside_deep"},
       {"1", "images seven folders deep",
        failed("its files lie too many folders deep, and are not looked into"), "too_deep"}});
}

void add_bids(const Trees& trees) {
  const auto anat = [](const std::string& before, const std::string& stem) {
    return std::vector<std::string>{before + "anat/" + stem + "_T1w.nii.gz",
                                    before + "anat/" + stem + "_FLAIR.nii.gz"};
  };
  const auto together = [](std::vector<std::vector<std::string>> sets) {
    std::vector<std::string> files{"dataset_description.json"};
    for (const auto& set : sets) files.insert(files.end(), set.begin(), set.end());
    return files;
  };
  trees.listed("bids_sessions",
               together({anat("sub-01/ses-1/", "sub-01_ses-1"),
                         anat("sub-01/ses-2/", "sub-01_ses-2"),
                         {"sub-01/ses-1/anat/sub-01_ses-1_ce-gadolinium_T1w.nii.gz"}}),
               {{"sub-01_ses-1", "BIDS, a session with a T1w with and one without contrast agent",
                 taken("t1=sub-01_ses-1_T1w.nii.gz"), "bids_session"},
                {"sub-01_ses-2", "another session of the subject",
                 taken("t1=sub-01_ses-2_T1w.nii.gz"), "bids_session_2"}});
  trees.listed("bids_contrast_only",
               together({anat("sub-02/", "sub-02"),
                         {"sub-01/anat/sub-01_ce-gadolinium_T1w.nii.gz",
                          "sub-01/anat/sub-01_FLAIR.nii.gz"}}),
               {{"sub-01", "only a T1w with contrast agent, where one without is asked for",
                 failed("channel t1 is missing: looked for sub-01_t1, sub-01_t1n, sub-01_T1w ("),
                 "bids_contrast_only"},
                {"sub-02", "the subject beside it", taken("t1=sub-02_T1w.nii.gz"), "bids_raw"}});
  trees.listed(
      "bids_spaces",
      together({anat("sub-01/", "sub-01"), anat("sub-02/", "sub-02"),
                anat("derivatives/prep/sub-01/", "sub-01_space-T1w_desc-preproc"),
                anat("derivatives/prep/sub-01/", "sub-01_space-MNIInfant+1_desc-preproc")}),
      {{"sub-01_space-T1w_desc-preproc", "a derivative in two spaces: the subject's own is taken",
        taken("t1=sub-01_space-T1w_desc-preproc_T1w.nii.gz"), "bids_spaces"},
       {"sub-02", "the derivative lacks this subject: the raw data are taken",
        taken("t1=sub-02_T1w.nii.gz"), "bids_raw_beside_derivative"}});
  trees.listed(
      "bids_other_spaces",
      together({anat("derivatives/prep/sub-01/", "sub-01_space-A"),
                anat("derivatives/prep/sub-01/", "sub-01_space-B")}),
      {{"sub-01_space-A", "two spaces that nothing tells apart",
        failed("in 2 spaces: space-A, space-B; choose one with --space"), "bids_other_spaces"}});
  trees.listed(
      "bids_runs",
      together({anat("sub-01/", "sub-01_run-1"),
                anat("sub-01/", "sub-01_run-2"),
                {"sub-02/anat/sub-02_run-1_T1w.nii.gz", "sub-02/anat/sub-02_run-2_T1w.nii.gz",
                 "sub-02/anat/sub-02_FLAIR.nii.gz"}}),
      {{"sub-01_run-1", "two runs of every channel: cases of their own",
        taken("t1=sub-01_run-1_T1w.nii.gz"), "bids_runs"},
       {"sub-01_run-2", "the other run", taken("t1=sub-01_run-2_T1w.nii.gz"), "bids_runs_2"},
       {"sub-02", "two runs of one channel",
        failed("2 files for channel t1: sub-02_run-1_T1w.nii.gz, sub-02_run-2_T1w.nii.gz"),
        "bids_run_twice"}});
  trees.refused("bids_pipelines",
                together({anat("derivatives/one/sub-01/", "sub-01"),
                          anat("derivatives/two/sub-01/", "sub-01")}),
                "two derivatives with the same subject",
                exits(2,
                      "more than one BIDS derivative holds scans: derivatives/one, "
                      "derivatives/two; name the folder of one of them instead"));
}

void add_mixed(const Trees& trees) {
  trees.listed(
      "mixed",
      {"a/a_t1.nii.gz", "a/a_flair.nii.gz", "b/b_t1.nii.gz", "b/b_flair.nii.gz",
       "imagesTs/p_0000.nii.gz", "imagesTs/p_0001.nii.gz"},
      {{"a", "two cases of BraTS", taken("t1=a_t1.nii.gz"), "mixed_a"},
       {"b", "the other", taken("t1=b_t1.nii.gz"), "mixed_b"},
       {"p", "a case of nnU-Net among those of BraTS",
        failed("a case of layout nnunet among those of layout brats; --layout nnunet takes"),
        "mixed"}});
  trees.refused(
      "mixed_equal",
      {"a/a_t1.nii.gz", "a/a_flair.nii.gz", "imagesTs/p_0000.nii.gz", "imagesTs/p_0001.nii.gz"},
      "as many cases of BraTS as of nnU-Net",
      exits(2, "holds 1 complete case(s) in each of two layouts, nnunet and brats; choose"));
  trees.refused("other_layout", {"a/a_t1.nii.gz", "a/a_flair.nii.gz"},
                "BraTS where --layout bids was given",
                exits(1, "no case found in layout bids: the layout does not fit: --layout brats"),
                {"--layout", "bids"});
  trees.listed(
      "results_among",
      {"a/a_t1.nii.gz", "a/a_flair.nii.gz", "old/run.json", "old/cases/z.json",
       "old/maps/z/z_t1.nii.gz", "old/maps/z/z_flair.nii.gz"},
      {{"a", "results of mcvol beside the cases", taken("t1=a_t1.nii.gz"), "results_among"}});
}

void add_no_scans(Kind& kind, const Trees& trees) {
  trees.refused("nothing", {}, "an empty folder for SCANS",
                exits(1, "no case found: there is no file in it"));
  trees.refused("other_files", {"notes.txt", "table.csv"}, "a folder without an image",
                exits(1, "no case found: no image among its 2 file(s) such as notes.txt"));
  trees.refused("other_channels", {"a_T1post.nii.gz", "a_ADC.nii.gz"},
                "images of no channel of the model, and nothing else",
                exits(1, "2 image file(s) such as a_ADC.nii.gz, but none whose name ends in"));
  kind.command("no_such_folder", "a SCANS that is not there",
               kind.predict(kind.folder() / "gone", "unused"),
               exits(1, "gone: no such file or folder"));
  const fs::path tree = trees.put("one_case", {"a/a_t1.nii.gz", "a/a_flair.nii.gz"});
  kind.command("a_file", "an image for SCANS", kind.predict(tree / "a" / "a_t1.nii.gz", "unused"),
               exits(2, "expected a folder of scans or a manifest .csv, found a file; name the"));
  kind.command("given_twice", "a folder, and the case in it again",
               kind.predict(tree, "unused", {(tree / "a").string()}),
               exits(2, "given twice, by itself or with a folder above it (case_id 'a'); name it"));
}

void measure_layouts(Kind& kind) {
  const CaseFiles clean = files_of(usual_head());
  const fs::path nnunet = kind.folder() / "measured_nnunet", bids = kind.folder() / "measured_bids";
  write_nifti(nnunet / "imagesTs" / "p1_0000.nii.gz", clean.t1);
  write_nifti(nnunet / "imagesTs" / "p1_0001.nii.gz", clean.flair);
  kind.batch(nnunet, "out_nnunet", {{"p1", "nnU-Net, measured", as_good(), "measured_nnunet"}});
  const fs::path derived = bids / "derivatives" / "strip" / "sub-01" / "anat";
  write_nifti(derived / "sub-01_desc-brain_T1w.nii.gz", clean.t1);
  write_nifti(derived / "sub-01_desc-brain_FLAIR.nii.gz", clean.flair);
  write_bytes(bids / "sub-01" / "anat" / "sub-01_T1w.nii.gz", "raw, with its skull");
  write_bytes(bids / "sub-01" / "anat" / "sub-01_FLAIR.nii.gz", "raw, with its skull");
  kind.batch(
      bids, "out_bids",
      {{"sub-01_desc-brain", "BIDS, measured on its derivative", as_good(), "measured_bids"}});
}

}  // namespace

void layouts(Kind& kind) {
  const Trees trees(kind);
  add_brats_and_nnunet(trees);
  add_bids(trees);
  add_mixed(trees);
  add_no_scans(kind, trees);
  measure_layouts(kind);
}

}  // namespace mcvol::testing
