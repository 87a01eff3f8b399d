#include <algorithm>

#include "corpus/kinds.h"

namespace mcvol::testing {
namespace {

/// A clean case whose flair consists of these bytes.
void write_with_flair(const std::filesystem::path& scans, const std::string& case_id,
                      const std::string& bytes, const std::string& ending) {
  write_usual_case(scans, case_id);
  std::filesystem::remove(scans / case_id / (case_id + "_flair.nii.gz"));
  write_bytes(scans / case_id / (case_id + "_flair" + ending), bytes);
}

/// The first so many bytes.
std::string cut(const std::string& bytes, std::size_t size) { return bytes.substr(0, size); }

std::string with_byte_turned(std::string bytes, std::size_t at) {
  bytes.at(at) = static_cast<char>(bytes.at(at) ^ 0x55);
  return bytes;
}

/// As a DICOM file begins.
std::string dicom_bytes() { return std::string(128, '\0') + "DICM" + std::string(4000, '\2'); }

}  // namespace

void damaged_files(Kind& kind) {
  const auto scans = kind.folder() / "scans";
  std::vector<BatchCase> cases;
  const auto add = [&](const std::string& id, const std::string& bytes, const std::string& what,
                       const Expected& expected, const std::string& ending = ".nii.gz") {
    write_with_flair(scans, id, bytes, ending);
    cases.push_back({id, what, expected, ""});
  };
  const std::string plain = nifti_of(usual_grid(), usual_head().flair).bytes();
  const std::string packed = test::gzipped(plain);
  const std::string half_packed = test::gzipped(cut(plain, plain.size() / 2));

  add("cut_packed", cut(packed, packed.size() / 2), "a .nii.gz cut short, as of a broken download",
      failed("truncated, the compressed data end too early; copy it again"));
  add("cut_in_trailer", cut(packed, packed.size() - 4), "a .nii.gz that lacks its last 4 bytes",
      failed("truncated, the compressed data end too early; copy it again"));
  add("cut_plain", cut(plain, plain.size() - 1000), "a .nii cut short",
      failed("truncated: 272952 bytes (uncompressed), expected 273952; copy it again"), ".nii");
  add("cut_before", half_packed, "gzip of an image that was cut short before",
      failed("truncated: 136976 bytes (uncompressed), expected 273952; copy it again"));
  add("cut_in_header", cut(plain, 200), "a .nii of 200 bytes",
      failed("truncated or not NIfTI: 200 bytes, less than a header of 348"), ".nii");
  add("crc", with_byte_turned(packed, packed.size() - 6), "gzip's checksum does not fit",
      failed("damaged, its gzip data are corrupt; copy it again"));
  add("length", with_byte_turned(packed, packed.size() - 2), "gzip says another length than it has",
      failed("damaged, its gzip data are corrupt; copy it again"));
  add("bit_error", with_byte_turned(packed, packed.size() / 2), "one byte within is another",
      failed("copy it again"));
  add("garbage_after", packed + "left by a tool", "text after the end of the gzip data", as_good());
  add("zeros_after", packed + std::string(512, '\0'), "zeros after the end, as of tape blocks",
      as_good());
  add("members", test::gzipped(cut(plain, 100000)) + test::gzipped(plain.substr(100000)),
      "two gzip members one after the other, as pigz and bgzip write", as_good());
  add("more_voxels", test::gzipped(plain + std::string(1000, '\1')), "more bytes than voxels",
      as_good());
  add("packed_twice", test::gzipped(packed), "gzip of a gzip file",
      failed("not a NIfTI file (its header does not begin with 348 or 540), but gzip; unpack it"));
  add("packed_as_nii", packed, "gzip under the name .nii",
      failed("gzip-compressed but not named .nii.gz; rename it"), ".nii");
  add("plain_as_gz", plain, "not compressed, under the name .nii.gz", as_good());
  add("empty", "", "an empty file", failed("an empty file, expected a NIfTI image"));
  add("lfs_pointer",
      "version https://git-lfs.github.com/spec/v1\noid sha256:" + std::string(64, 'a') +
          "\nsize 123456\n",
      "a Git LFS pointer", failed("a Git LFS pointer, not the file itself; fetch it (git lfs"));
  add("annex_pointer", "/annex/objects/MD5E-s123456--0123456789abcdef.nii.gz\n",
      "a pointer of git-annex, as of an unlocked DataLad set",
      failed("a git-annex pointer, not the file itself; fetch it (datalad get, git annex get)"));
  add("web_page", "<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n",
      "a log-in page saved as the image", failed("a web page (HTML or XML), not the file itself"));
  add("server_error", "<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>\n",
      "a storage server's refusal saved as the image", failed("a web page (HTML or XML)"));
  add("dicom_as_nifti", dicom_bytes(), "DICOM renamed to .nii",
      failed("not a NIfTI file (its header does not begin with 348 or 540), but DICOM; convert it"),
      ".nii");
  add("text", std::string(500, 'x'), "text under the name .nii.gz",
      failed("not a NIfTI file (its header does not begin with 348 or 540)"));
  add("zeros", std::string(plain.size(), '\0'), "zeros of the right length, as of a full disk",
      failed("not a NIfTI file (its header does not begin with 348 or 540), but zeros only; copy"),
      ".nii");
  add("zip", "PK\3\4" + std::string(400, '\1'), "a ZIP archive renamed to .nii.gz",
      failed("not a NIfTI file (its header does not begin with 348 or 540), but a ZIP archive"));
  add("nrrd_as_nifti", "NRRD0004\ntype: float\n" + std::string(400, '\1'), "NRRD renamed to .nii",
      failed("not a NIfTI file (its header does not begin with 348 or 540), but NRRD; name it"),
      ".nii");
  kind.batch(scans, "out", cases);
  kind.inspect_says_the_same(scans);
}

}  // namespace mcvol::testing
