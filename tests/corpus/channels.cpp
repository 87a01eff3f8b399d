#include "corpus/kinds.h"

namespace mcvol::testing {

namespace fs = std::filesystem;

void channels(Kind& kind) {
  const fs::path scans = kind.folder() / "scans";
  const Head& head = usual_head();
  const CaseFiles clean = files_of(head);
  std::vector<BatchCase> cases;
  const auto add = [&](const std::string& id, const std::string& what, const Expected& expected) {
    cases.push_back({id, what, expected, ""});
  };
  const auto file = [&](const std::string& id, const std::string& channel,
                        const std::string& ending = ".nii.gz") {
    return scans / id / (id + "_" + channel + ending);
  };

  write_case(scans, "copied", {clean.t1, clean.t1});
  add("copied", "one scan copied to both channels",
      failed("copied_flair.nii.gz: the same image as copied_t1.nii.gz, voxel by voxel"));
  write_usual_case(scans, "linked");
  fs::remove(file("linked", "flair"));
  fs::create_symlink("linked_t1.nii.gz", file("linked", "flair"));
  add("linked", "a link to the other channel",
      failed("linked_flair.nii.gz: the same image as linked_t1.nii.gz, voxel by voxel"));
  write_case(scans, "copied_as_int16", {clean.t1, nifti_as<std::int16_t>(head.grid, head.t1, 4)});
  add("copied_as_int16", "one scan in both, with another type of voxel",
      failed("copied_as_int16_flair.nii.gz: the same image as copied_as_int16_t1.nii.gz"));

  Grid shifted = head.grid;
  shifted.origin_mm[0] += 3.2;
  write_case(scans, "shifted", {clean.t1, nifti_of(shifted, head.flair)});
  add("shifted", "channels 3.2 mm apart, not registered",
      failed("(their corners lie up to 3.2 mm apart); resample all channels of a case onto one"));
  Grid coarse = head.grid;
  coarse.size = {40, 45, 19};
  coarse.spacing_mm[2] = 8;
  write_case(scans, "coarse", {clean.t1, files_of(head_on(coarse)).flair});
  add("coarse", "a channel with slices of another thickness",
      failed("40x45x19 voxels of 4x4x8 mm, LPS, expected the grid of coarse_t1.nii.gz: 40x45x38"));
  Grid rounded = head.grid;
  rounded.origin_mm[1] += 0.004;
  write_case(scans, "rounded", {clean.t1, nifti_of(rounded, head.flair)});
  add("rounded", "channels 0.004 mm apart, as rounding leaves them", as_good());

  Grid mirrored = head.grid;
  mirrored.direction.col(0) *= -1;
  mirrored.origin_mm[0] *= -1;
  write_case(scans, "mirrored", {clean.t1, files_of(head_on(mirrored)).flair});
  add("mirrored", "the axes of one channel run the other way",
      failed(
          "40x45x38 voxels of 4x4x4 mm, RPS, expected the grid of mirrored_t1.nii.gz: 40x45x38"));

  write_usual_case(scans, "lacking");
  fs::remove(file("lacking", "flair"));
  add("lacking", "a channel is not there",
      failed("channel flair is missing: looked for lacking_flair, lacking_t2f"));
  write_usual_case(scans, "twice");
  write_nifti(file("twice", "flair", ".nii"), clean.flair);
  add("twice", "a channel as .nii.gz and as .nii",
      failed("2 files for channel flair: twice_flair.nii, twice_flair.nii.gz; keep one"));
  write_usual_case(scans, "two_names");
  fs::copy_file(file("two_names", "flair"), file("two_names", "t2f"));
  add("two_names", "a channel under two of its names",
      failed("2 files for channel flair: two_names_flair.nii.gz, two_names_t2f.nii.gz; keep one"));
  write_usual_case(scans, "broken_link");
  fs::remove(file("broken_link", "flair"));
  fs::create_symlink(".git/annex/objects/gone", file("broken_link", "flair"));
  add("broken_link", "a link to a file that is not there, as DataLad leaves it",
      failed("a link to a file that is not there; fetch it (datalad get, git annex get)"));
  write_usual_case(scans, "linked_elsewhere");
  fs::create_directories(kind.folder() / "store");
  fs::rename(file("linked_elsewhere", "flair"), kind.folder() / "store" / "1a2b");
  fs::create_symlink(kind.folder() / "store" / "1a2b", file("linked_elsewhere", "flair"));
  add("linked_elsewhere", "a link to a file of another name, as DataLad has it", as_good());
  write_usual_case(scans, "with_others");
  for (const char* other : {"seg", "t2", "adc", "brain_mask"}) {
    write_nifti(file("with_others", other), clean.t1);
  }
  add("with_others", "further images and a segmentation beside the channels", as_good());
  write_usual_case(scans, "folder_as_file");
  fs::remove(file("folder_as_file", "flair"));
  fs::create_directories(file("folder_as_file", "flair"));
  add("folder_as_file", "a folder named like the image",
      failed("channel flair is missing: looked for folder_as_file_flair"));
  kind.batch(scans, "out", cases);
}

}  // namespace mcvol::testing
