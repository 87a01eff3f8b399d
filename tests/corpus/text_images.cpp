#include <cstring>
#include <utility>

#include "corpus/kinds.h"
#include <zlib.h>

namespace mcvol::testing {
namespace {

std::string bytes_of(const std::vector<float>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)};
}

std::string zlib_packed(const std::string& bytes) {
  std::string packed(compressBound(bytes.size()), '\0');
  uLongf size = packed.size();
  compress2(reinterpret_cast<Bytef*>(packed.data()), &size,
            reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(), 1);
  packed.resize(size);
  return packed;
}

/// As 3D Slicer writes the usual grid.
const std::string kNrrd =
    "NRRD0004\n# Complete NRRD file format specification at:\n"
    "# http://teem.sourceforge.net/nrrd/format.html\ntype: float\ndimension: 3\n"
    "space: left-posterior-superior\nsizes: 40 45 38\n"
    "space directions: (4,0,0) (0,4,0) (0,0,4)\nkinds: domain domain domain\nendian: little\n"
    "encoding: raw\nspace origin: (-78,-88,-74)\n\n";

/// As ITK writes it.
const std::string kMha =
    "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
    "CompressedData = False\nTransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = -78 -88 -74\n"
    "CenterOfRotation = 0 0 0\nAnatomicalOrientation = RAI\nElementSpacing = 4 4 4\n"
    "DimSize = 40 45 38\nElementType = MET_FLOAT\nElementDataFile = LOCAL\n";

class TextCases {
 public:
  explicit TextCases(Kind& kind) : kind_(kind), scans_(kind.folder() / "scans") {}

  /// A flair in this file, beside a t1 in NIfTI.
  void add(const std::string& id, const std::string& bytes, const std::string& ending,
           const std::string& what, const Expected& expected) {
    write_usual_case(scans_, id);
    std::filesystem::remove(scans_ / id / (id + "_flair.nii.gz"));
    write_bytes(scans_ / id / (id + "_flair" + ending), bytes);
    cases_.push_back({id, what, expected, ""});
  }
  void run() {
    kind_.batch(scans_, "out", cases_);
    kind_.inspect_says_the_same(scans_);
  }

 private:
  Kind& kind_;
  std::filesystem::path scans_;
  std::vector<BatchCase> cases_;
};

void add_nrrd(TextCases& cases, const std::string& voxels) {
  const auto nrrd = [&](const std::string& from, const std::string& to, const std::string& id,
                        const std::string& what, const Expected& expected) {
    cases.add(id, replaced(kNrrd, from, to) + voxels, ".nrrd", what, expected);
  };
  cases.add("nrrd_raw", kNrrd + voxels, ".nrrd", "NRRD as 3D Slicer writes it, raw", as_good());
  cases.add("nrrd_gzip", replaced(kNrrd, "encoding: raw", "encoding: gzip") + test::gzipped(voxels),
            ".nrrd", "NRRD, encoding gzip", as_good());
  nrrd("left-posterior-superior\nsizes: 40 45 38\nspace directions: (4,0,0) (0,4,0)",
       "RAS\nsizes: 40 45 38\nspace directions: (-4,0,0) (0,-4,0)", "nrrd_ras_origin",
       "NRRD in RAS whose origin is that of LPS: on another place than t1",
       failed("resample all channels of a case onto one grid"));
  nrrd("encoding: raw", "encoding: ascii", "nrrd_ascii", "NRRD, encoding ascii",
       failed("encoding \"ascii\", expected raw or gzip"));
  nrrd("space: left-posterior-superior\n", "space: scanner-xyz\n", "nrrd_scanner",
       "NRRD in the scanner's space, not the patient's",
       failed("its header does not say which way the image is turned in the patient"));
  nrrd("dimension: 3", "dimension: 4", "nrrd_four_d", "NRRD of 4 dimensions",
       failed("4-D image (40x45x38), expected 3-D"));
  nrrd("type: float", "type: block", "nrrd_block", "NRRD of type block",
       failed("voxels of type \"block\", expected one integer or float"));
  nrrd("encoding: raw\n", "encoding: raw\nspace units: \"um\" \"um\" \"um\"\n", "nrrd_um",
       "NRRD in micrometres", failed("space units \"um\" \"um\" \"um\", expected mm"));
  nrrd("space directions: (4,0,0) (0,4,0) (0,0,4)\n", "", "nrrd_no_size",
       "NRRD that does not say how large a voxel is",
       failed("no spacings in its header, expected 3 numbers"));
  nrrd("space origin: (-78,-88,-74)\n", "", "nrrd_no_origin", "NRRD without a space origin",
       failed("no space origin in its header, expected 3 numbers"));
  nrrd("encoding: raw\n", "encoding: raw\ndata file: p_flair.raw\n", "nrrd_detached",
       "a .nrrd whose voxels are in another file",
       failed("its voxels are in another file (p_flair.raw), expected them in this one"));
  cases.add("nrrd_cut", kNrrd + voxels.substr(0, 5000), ".nrrd", "NRRD cut short",
            failed("truncated: 5000 bytes of voxels, expected 273600; copy it again"));
  cases.add(
      "nrrd_is_nifti", nifti_of(usual_grid(), usual_head().flair).bytes(), ".nrrd",
      "NIfTI renamed to .nrrd",
      failed("not a NRRD file (its first line is not NRRD000 and a digit), but NIfTI; name it"));
  cases.add("nhdr", replaced(kNrrd, "encoding: raw\n", "encoding: raw\ndata file: x.raw\n"),
            ".nhdr", "a header .nhdr of voxels in a .raw file",
            failed(".nhdr, which mcvol does not read; save as one .nrrd with its voxels in it"));
}

void add_meta(TextCases& cases, const std::string& voxels) {
  const auto meta = [&](const std::string& from, const std::string& to, const std::string& id,
                        const std::string& what, const Expected& expected) {
    cases.add(id, replaced(kMha, from, to) + voxels, ".mha", what, expected);
  };
  cases.add("mha_raw", kMha + voxels, ".mha", "MetaImage as ITK writes it", as_good());
  cases.add("mha_packed",
            replaced(kMha, "CompressedData = False", "CompressedData = True") + zlib_packed(voxels),
            ".mha", "MetaImage, compressed", as_good());
  meta("TransformMatrix = 1 0 0 0 1 0 0 0 1\n", "", "mha_no_turn",
       "MetaImage without a TransformMatrix", failed("does not say which way the image is turned"));
  meta("ElementType", "ElementNumberOfChannels = 3\nElementType", "mha_three_channels",
       "MetaImage of three channels", failed("ElementNumberOfChannels is \"3\", expected 1"));
  meta("ElementType", "DistanceUnits = cm\nElementType", "mha_cm", "MetaImage in cm",
       failed("DistanceUnits is \"cm\", expected mm"));
  meta("ElementSpacing = 4 4 4\n", "", "mha_no_size",
       "MetaImage that does not say how large a voxel is",
       failed("no ElementSpacing in its header, expected 3 numbers"));
  meta("MET_FLOAT", "MET_LONG", "mha_long", "MetaImage of MET_LONG, 4 or 8 bytes by its writer",
       failed("voxels of type \"MET_LONG\", expected one integer or float"));
  meta("= LOCAL", "= p_flair.raw", "mha_detached", "a .mha whose voxels are in another file",
       failed("its voxels are in another file (p_flair.raw), expected them in this one"));
  meta("ElementSpacing = 4 4 4", "ElementSpacing = 4 4 -4", "mha_negative",
       "MetaImage with a negative voxel size", failed("voxel size 4x4x-4 mm (ElementSpacing)"));
  cases.add("mha_cut", kMha + voxels.substr(0, 5000), ".mha", "MetaImage cut short",
            failed("truncated: 5000 bytes of voxels, expected 273600; copy it again"));
  cases.add("mhd", replaced(kMha, "= LOCAL", "= x.raw"), ".mhd",
            "a header .mhd of voxels in a .raw file",
            failed(".mhd, which mcvol does not read; save as one .mha with its voxels in it"));
}

}  // namespace

void text_images(Kind& kind) {
  TextCases cases(kind);
  const std::string voxels = bytes_of(usual_head().flair);
  add_nrrd(cases, voxels);
  add_meta(cases, voxels);
  cases.run();
}

}  // namespace mcvol::testing
