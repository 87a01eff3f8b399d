#include "mcvol/files/sha256.h"

#include "corpus/kinds.h"

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;

/// What an id gets where a name or a place cannot be one.
std::string hash_of(const std::string& text) { return "-" + sha256_of_bytes(text).substr(0, 8); }

class NameCases {
 public:
  explicit NameCases(Kind& kind) : kind_(kind), scans_(kind.folder() / "scans") {}

  void add(const std::string& id, const std::string& what, const Expected& expected,
           const std::string& name = "") {
    cases_.push_back({id, what, expected, name});
  }
  /// The clean head under other names.
  void put(const std::string& folder, const std::string& t1, const std::string& flair) {
    write_nifti(scans_ / folder / t1, clean_.t1);
    write_nifti(scans_ / folder / flair, clean_.flair);
  }
  void put_bytes(const std::string& file, const std::string& bytes) {
    write_bytes(scans_ / file, bytes);
  }
  const fs::path& scans() const { return scans_; }
  void run() { kind_.batch(scans_, "out", cases_); }

 private:
  Kind& kind_;
  fs::path scans_;
  CaseFiles clean_ = files_of(usual_head());
  std::vector<BatchCase> cases_;
};

void add_spellings(NameCases& cases) {
  cases.put("brats", "brats_t1.nii.gz", "brats_flair.nii.gz");
  cases.add("brats", "the usual names", as_good());
  cases.put("capitals", "capitals_t1.NII.GZ", "capitals_flair.NII.GZ");
  cases.add("capitals", ".NII.GZ", as_good());
  cases.put("loud", "loud_T1.nii.gz", "loud_Flair.nii.gz");
  cases.add("loud", "channels in capitals", as_good());
  cases.put("BraTS-GLI-00005-000", "BraTS-GLI-00005-000-t1n.nii.gz",
            "BraTS-GLI-00005-000-t2f.nii.gz");
  cases.add("BraTS-GLI-00005-000", "names with hyphens, as of BraTS 2023", as_good());
  cases.put("bare", "t1.nii.gz", "flair.nii.gz");
  cases.add("bare", "files named by their channel alone", as_good());
}

void add_ids(NameCases& cases) {
  cases.put("plus+1", "plus+1_t1.nii.gz", "plus+1_flair.nii.gz");
  cases.add("plus+1", "an id with +", as_good());
  cases.put("a blank", "a blank_t1.nii.gz", "a blank_flair.nii.gz");
  cases.add("a_blank" + hash_of("a blank"), "an id with a blank", as_good(), "a blank");
  cases.put("müller", "müller_t1.nii.gz", "müller_flair.nii.gz");
  cases.add("m_ller-2dbd2180", "an id with an umlaut", as_good(), "müller");
  cases.put("日本", "日本_t1.nii.gz", "日本_flair.nii.gz");
  cases.add("x_" + hash_of("日本"), "an id without a Latin letter", as_good(), "日本");
  cases.put("_first", "_first_t1.nii.gz", "_first_flair.nii.gz");
  cases.add("x_first" + hash_of("_first"), "an id that begins with _", as_good(), "_first");
  const std::string longest(128, 'l'), longer(129, 'm');
  cases.put("longest", longest + "_t1.nii.gz", longest + "_flair.nii.gz");
  cases.add(longest, "an id of 128 characters", as_good(), "128 characters");
  cases.put("longer", longer + "_t1.nii.gz", longer + "_flair.nii.gz");
  cases.add(longer.substr(0, 119) + hash_of(longer), "an id of 129 characters", as_good(),
            "129 characters");
  cases.put("Equal", "Equal_t1.nii.gz", "Equal_flair.nii.gz");
  cases.add("Equal", "an id that another is but for capitals", as_good());
  cases.put("equal", "equal_t1.nii.gz", "equal_flair.nii.gz");
  cases.add("equal" + hash_of("scans/equal/equal_t1.nii.gz"), "the other one", as_good(), "equal");
  cases.put("site_a", "p7_t1.nii.gz", "p7_flair.nii.gz");
  cases.add("p7", "an id that another folder has too", as_good());
  cases.put("site_b", "p7_t1.nii.gz", "p7_flair.nii.gz");
  cases.add("p7" + hash_of("scans/site_b/p7_t1.nii.gz"), "the other one", as_good(), "p7 again");
}

void add_formats(NameCases& cases) {
  cases.put_bytes("bz2/bz2_t1.nii.bz2", "BZh9");
  cases.put_bytes("bz2/bz2_flair.nii.bz2", "BZh9");
  cases.add("bz2", "compressed by bzip2",
            failed("packed otherwise than by gzip, which mcvol does not read; unpack first"));
  cases.put_bytes("mgz/mgz_t1.mgz", "\x1f\x8b");
  cases.put_bytes("mgz/mgz_flair.mgz", "\x1f\x8b");
  cases.add("mgz", "FreeSurfer's .mgz",
            failed("FreeSurfer .mgz, which mcvol does not read; convert with mri_convert"));
  cases.put_bytes("img/img_t1.img", "x");
  cases.put_bytes("img/img_t1.hdr", "x");
  cases.put_bytes("img/img_flair.img", "x");
  cases.put_bytes("img/img_flair.hdr", "x");
  cases.add("img", "pairs of .hdr and .img", failed(".hdr/.img, which mcvol does not read"));
  const std::string dicom = std::string(128, '\0') + "DICM" + std::string(100, '\2');
  for (const char* name : {"0001.dcm", "0002.dcm", "0003.dcm"}) {
    cases.put_bytes(std::string("dicom/") + name, dicom);
  }
  cases.add("dicom", "a folder of DICOM",
            failed("3 DICOM file(s) such as 0001.dcm, which mcvol does not read; convert with"));
  cases.put_bytes("dicom_bare/IM0001", dicom);
  cases.put_bytes("dicom_bare/IM0002", dicom);
  cases.add("dicom_bare", "DICOM without an ending",
            failed("2 DICOM file(s) such as IM0001, which mcvol does not read"));
  cases.put_bytes("packed/packed.zip", "PK");
  cases.add("packed", "a folder with a .zip in it",
            failed("1 packed file(s) such as packed.zip, which mcvol does not read; unpack first"));
}

void add_lost(NameCases& cases) {
  fs::create_directories(cases.scans() / "empty");
  cases.add("empty", "an empty folder", failed("an empty folder: there is no file in it"));
  cases.put_bytes("only_seg/only_seg_seg.nii.gz", "x");
  cases.add("only_seg", "a segmentation without its images",
            failed("no image, only only_seg_seg.nii.gz; where are its images?"));
  cases.put_bytes("only_json/only_json_t1.json", "{}");
  cases.add("only_json", "a sidecar without its image",
            failed("no image, only only_json_t1.json; where are its images?"));
  cases.put_bytes("other_names/other_names_adc.nii.gz", "x");
  cases.put_bytes("other_names/other_names_dwi.nii.gz", "x");
  cases.add("other_names", "images of no channel of the model",
            failed("2 image file(s) such as other_names_adc.nii.gz, but none whose name ends in"));
  cases.put_bytes("downloading/downloading_t1.nii.gz.part", "x");
  cases.put_bytes("downloading/downloading_flair.nii.gz.crdownload", "x");
  cases.add(
      "downloading", "downloads that have not ended",
      failed(
          "downloading_t1.nii.gz.part: a download that has not ended, which mcvol does not read"));
  // Neither a case nor a patient's: no row.
  cases.put_bytes("__MACOSX/brats/._brats_t1.nii.gz", "x");
  for (const char* folder :
       {"System Volume Information", "$RECYCLE.BIN", "@eaDir/x", "lost+found"}) {
    fs::create_directories(cases.scans() / folder);
  }
  cases.put_bytes(".hidden/hidden_t1.nii.gz", "x");
  cases.put_bytes("README.md", "x");
  cases.put_bytes("derivatives/notes.txt", "x");
}

}  // namespace

void names(Kind& kind) {
  NameCases cases(kind);
  add_spellings(cases);
  add_ids(cases);
  add_formats(cases);
  add_lost(cases);
  cases.run();
}

}  // namespace mcvol::testing
