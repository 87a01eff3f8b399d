#include <cmath>
#include <functional>

#include "corpus/kinds.h"
#include "corpus/known_results.h"

namespace mcvol::testing {
namespace {

namespace fs = std::filesystem;

/// Label maps of the known cases, of voxels of 4 mm, on grids of their own.
class LabelMaps {
 public:
  explicit LabelMaps(Kind& kind)
      : kind_(kind), known_(write_known_results(kind.folder() / "results")) {}

  /// A folder of maps. @param stored what stands in the file for the labels 0, 1 and 2.
  fs::path put(const std::string& name, const std::vector<int>& stored,
               const std::string& ending = "_seg.nii.gz") const {
    for (const KnownCase& one : known_) {
      write_nifti(kind_.folder() / name / (one.case_id + ending), map_of(one.reference, stored));
    }
    return kind_.folder() / name;
  }
  test::NiftiFixture map_of(const Volumes& volumes, const std::vector<int>& stored) const {
    constexpr double kVoxelMl = 0.064;
    std::vector<float> labels(16 * 16 * 16, static_cast<float>(stored[0]));
    const auto whole = static_cast<std::size_t>(std::round(volumes.whole_ml / kVoxelMl));
    const auto core = static_cast<std::size_t>(std::round(volumes.core_ml / kVoxelMl));
    for (std::size_t n = 0; n < whole; ++n) {
      labels[n] = static_cast<float>(stored[n < core ? 2 : 1]);
    }
    return nifti_as<std::uint8_t>(grid(), labels, 2);
  }
  static Grid grid() {
    Grid grid;
    grid.size = {16, 16, 16};
    grid.spacing_mm = {4, 4, 4};
    return grid;
  }
  void check(const std::string& name, const std::string& what, const Expected& expected,
             const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments{
        "calibrate",    (kind_.folder() / "results").string(),
        "--references", (kind_.folder() / name).string(),
        "--output",     (kind_.folder() / "calibration.json").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    kind_.command(more.empty() ? name : name + "_mapped", what, arguments, expected);
  }
  const KnownCase& first() const { return known_.front(); }

 private:
  Kind& kind_;
  std::vector<KnownCase> known_;
};

}  // namespace

void label_maps(Kind& kind) {
  const LabelMaps maps(kind);
  const Expected used = exits(0, "(median of 40 cases)");
  maps.put("right", {0, 1, 2});
  maps.check("right", "label maps of the model's values", used);
  maps.put("in_folders", {0, 1, 2});
  for (const auto& entry : fs::directory_iterator(kind.folder() / "right")) {
    const std::string id = entry.path().filename().string().substr(0, 3);
    const fs::path within = kind.folder() / "in_folders" / id;
    fs::create_directories(within);
    fs::rename(kind.folder() / "in_folders" / entry.path().filename(),
               within / entry.path().filename());
  }
  maps.check("in_folders", "each in the folder of its case, as of BraTS", used);

  fs::create_directories(kind.folder() / "int64");
  const fs::path int64 = maps.put("int64", {0, 1, 2});
  test::NiftiFixture wide = maps.map_of(maps.first().reference, {0, 1, 2});
  std::vector<std::int64_t> labels(wide.voxels.begin(), wide.voxels.end());
  wide.set_voxels(labels, 1024);
  write_nifti(int64 / "001_seg.nii.gz", wide);
  maps.check("int64", "one of int64, nibabel's default of old", used);

  maps.put("binary", {0, 1, 1});
  maps.check("binary", "one label for all of the tumour",
             exits(2, "tumour_core: every reference is 0 ml"));
  maps.put("exchanged", {0, 2, 1});
  maps.check(
      "exchanged", "two labels exchanged, as between conventions",
      exits(2, "the label maps fit the measured volumes far better with --label-map 1=2,2=1"));
  maps.check("exchanged", "the same with the --label-map of the message", used,
             {"--label-map", "1=2,2=1"});
  maps.put("other_value", {0, 1, 3});
  maps.check("other_value", "3 where the model has 2, in every map",
             exits(2,
                   "the value 3 belongs to no region of the model; say what it stands for with "
                   "--label-map 3=LABEL (0 for background); 40 label maps hold it"));
  maps.check("other_value", "the same with --label-map", used, {"--label-map", "3=2"});

  maps.put("slip", {0, 1, 2});
  test::NiftiFixture slip = maps.map_of(maps.first().reference, {0, 1, 2});
  slip.voxels.back() = 7;
  write_nifti(kind.folder() / "slip" / "001_seg.nii.gz", slip);
  maps.check("slip", "a voxel of a value of no region, in one map of 40",
             exits(3, "001_seg.nii.gz: the value 7 belongs to no region of the model"));
  maps.put("unreadable", {0, 1, 2});
  write_bytes(kind.folder() / "unreadable" / "001_seg.nii.gz", "no image");
  maps.check("unreadable", "one that is no image",
             exits(3, "001_seg.nii.gz: truncated or not NIfTI: 8 bytes"));
  maps.put("lfs", {0, 1, 2});
  write_bytes(kind.folder() / "lfs" / "001_seg.nii.gz",
              "version https://git-lfs.github.com/spec/v1\noid sha256:0a\nsize 99\n");
  maps.check("lfs", "one that is a Git LFS pointer",
             exits(3, "001_seg.nii.gz: a Git LFS pointer, not the file itself; fetch it"));
  maps.put("probabilities", {0, 1, 2});
  write_nifti(kind.folder() / "probabilities" / "001_seg.nii.gz",
              nifti_of(LabelMaps::grid(), std::vector<float>(16 * 16 * 16, 0.4F)));
  maps.check("probabilities", "one of probabilities",
             exits(3, "001_seg.nii.gz: value 0.4 in a label map, expected integers"));
  maps.put("two_maps", {0, 1, 2});
  fs::copy_file(kind.folder() / "two_maps" / "001_seg.nii.gz",
                kind.folder() / "two_maps" / "001.nii.gz");
  maps.check("two_maps", "two for one case", exits(2, "001: two label maps, "));
  maps.put("other_names", {0, 1, 2}, "_label.nii.gz");
  maps.check("other_names", "names that end in _label",
             exits(2, "no measured case of results has a reference there"));
  fs::create_directories(kind.folder() / "nothing");
  maps.check("nothing", "an empty folder", exits(2, "no measured case of results has a reference"));
}

}  // namespace mcvol::testing
