#include <cmath>
#include <functional>
#include <utility>

#include "corpus/kinds.h"

namespace mcvol::testing {
namespace {

using test::NiftiFixture;
using Change = std::function<void(NiftiFixture&)>;

/// The clean head with another header on both channels.
CaseFiles changed(const Change& change) {
  CaseFiles files = files_of(usual_head());
  change(files.t1);
  change(files.flair);
  return files;
}

/// All lengths of the header in another unit.
Change in_unit(int code, float factor) {
  return [=](NiftiFixture& file) {
    file.units = code;
    for (int axis = 1; axis <= 3; ++axis) file.pixdim[static_cast<std::size_t>(axis)] *= factor;
    for (float& value : file.srow) value *= factor;
  };
}

Change with_voxel_size(float size_mm) { return in_unit(2, size_mm / 4.0F); }

/// The place by a qform, of the same LPS grid: half a turn about the third axis.
void set_qform(NiftiFixture& file) {
  file.qform_code = 1;
  const Eigen::Vector3d origin = usual_grid().origin_mm;
  file.quaternion_and_offset = {0,
                                0,
                                1,
                                static_cast<float>(-origin[0]),
                                static_cast<float>(-origin[1]),
                                static_cast<float>(origin[2])};
}

/// The head on a grid whose indices run otherwise.
Head turned(const Eigen::Matrix3d& direction, const Index3& size, const Eigen::Vector3d& spacing) {
  Grid grid;
  grid.size = size;
  grid.spacing_mm = spacing;
  grid.direction = direction;
  Eigen::Vector3d half;
  for (int axis = 0; axis < 3; ++axis) {
    half[axis] = spacing[axis] * static_cast<double>(size[static_cast<std::size_t>(axis)] - 1) / 2;
  }
  grid.origin_mm = -(direction * half);
  return head_on(grid);
}

Eigen::Matrix3d columns(const Eigen::Vector3d& i, const Eigen::Vector3d& j,
                        const Eigen::Vector3d& k) {
  Eigen::Matrix3d matrix;
  matrix.col(0) = i, matrix.col(1) = j, matrix.col(2) = k;
  return matrix;
}

class HeaderCases {
 public:
  explicit HeaderCases(Kind& kind) : kind_(kind), scans_(kind.folder() / "scans") {}

  void add(const std::string& id, const CaseFiles& files, const std::string& what,
           const Expected& expected, const std::string& ending = ".nii.gz") {
    write_case(scans_, id, files, ending);
    cases_.push_back({id, what, expected, ""});
  }
  void add(const std::string& id, const Change& change, const std::string& what,
           const Expected& expected) {
    add(id, changed(change), what, expected);
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

/// The clean head laid out in another version or byte order.
CaseFiles laid_out(int version, bool big_endian) {
  const Head& head = usual_head();
  CaseFiles files;
  for (const auto& [values, file] : {std::pair{&head.t1, &files.t1}, {&head.flair, &files.flair}}) {
    file->version = version;
    file->big_endian = big_endian;  // Before its voxels are put down.
    file->set_grid(head.grid);
    file->set_voxels(*values, 16);
  }
  return files;
}

void add_formats(HeaderCases& cases) {
  cases.add("unpacked", files_of(usual_head()), ".nii, not compressed", as_good(), ".nii");
  cases.add("big_endian", laid_out(1, true), "the other byte order", as_good());
  cases.add("nifti_2", laid_out(2, false), "NIfTI-2", as_good());
  cases.add("nifti_2_big_endian", laid_out(2, true), "NIfTI-2 in the other byte order", as_good());
  cases.add(
      "extension", [](NiftiFixture& file) { file.vox_offset = 1024.0F; },
      "an extension of 672 bytes between header and voxels", as_good());
  cases.add(
      "offset_0", [](NiftiFixture& file) { file.vox_offset = 0.0F; }, "vox_offset 0",
      failed("damaged header: the voxels start at byte 0, expected 352 or more"));
  cases.add(
      "two_file", [](NiftiFixture& file) { file.magic = std::string("ni1\0", 4); },
      "the header of a two-file image under the name .nii.gz",
      failed("the header of a two-file NIfTI image, expected one .nii or .nii.gz file"));
  cases.add(
      "analyze", [](NiftiFixture& file) { file.magic = std::string(4, '\0'); },
      "Analyze 7.5 renamed to .nii.gz", failed("not a NIfTI file (no \"n+1\" in its header"));
}

void add_units(HeaderCases& cases) {
  cases.add(
      "micron", [](NiftiFixture& file) { file.units = 1 + 2; },
      "xyzt_units says micron, the numbers are of mm",
      failed("voxel size 0.004x0.004x0.004 mm (pixdim 4x4x4, in microns by xyzt_units), "
             "expected 0.05 to 20 mm"));
  cases.add(
      "metre", [](NiftiFixture& file) { file.units = 1; },
      "xyzt_units says metre, the numbers are of mm",
      failed("voxel size 4000x4000x4000 mm (pixdim 4x4x4, in metres by xyzt_units)"));
  cases.add("true_micron", in_unit(3, 1000.0F), "micron, and the numbers are of micron", as_good());
  cases.add("true_metre", in_unit(1, 0.001F), "metre, and the numbers are of metre", as_good());
  cases.add("no_unit", in_unit(0, 1.0F), "xyzt_units 0, as many tools leave it", as_good());
  cases.add("other_unit", in_unit(5, 1.0F), "a unit code that NIfTI does not have",
            failed("damaged header: unknown unit of length (code 5), expected mm"));
  cases.add("voxels_small", with_voxel_size(0.04F), "voxels of 0.04 mm",
            failed("voxel size 0.04x0.04x0.04 mm (pixdim), expected 0.05 to 20 mm"));
  cases.add("voxels_large", with_voxel_size(25.0F), "voxels of 25 mm",
            failed("voxel size 25x25x25 mm (pixdim), expected 0.05 to 20 mm"));
  cases.add(
      "pixdim_0", [](NiftiFixture& file) { file.pixdim[3] = 0.0F; }, "a pixdim of 0",
      failed("voxel size 4x4x0 mm (pixdim), expected 0.05 to 20 mm"));
  cases.add(
      "pixdim_negative", [](NiftiFixture& file) { file.pixdim[1] = -4.0F; }, "a negative pixdim",
      failed("voxel size -4x4x4 mm (pixdim), expected 0.05 to 20 mm"));
  cases.add(
      "pixdim_nan", [](NiftiFixture& file) { file.pixdim[2] = std::nanf(""); }, "a pixdim of NaN",
      failed("voxel size 4xnanx4 mm (pixdim), expected 0.05 to 20 mm"));
}

void add_places(HeaderCases& cases) {
  cases.add(
      "sform_only", [](NiftiFixture&) {}, "sform, qform_code 0", as_good());
  cases.add(
      "qform_only",
      [](NiftiFixture& file) {
        set_qform(file);
        file.sform_code = 0;
        file.srow.fill(0.0F);
      },
      "qform, sform_code 0", as_good());
  cases.add("both_forms", set_qform, "sform and qform alike", as_good());
  cases.add(
      "forms_apart",
      [](NiftiFixture& file) {
        set_qform(file);
        file.quaternion_and_offset[3] += 30.0F;
      },
      "sform and qform 30 mm apart",
      as_good_saying("its sform and qform place the image up to 30 mm apart; the sform"));
  cases.add(
      "no_form", [](NiftiFixture& file) { file.sform_code = 0; }, "both codes 0",
      failed("neither sform nor qform is set, so nothing says which way the image is turned"));
  cases.add(
      "sform_other_size",
      [](NiftiFixture& file) {
        for (int axis = 1; axis <= 3; ++axis) file.pixdim[static_cast<std::size_t>(axis)] = 2.0F;
      },
      "pixdim of 2 mm beside an sform of 4 mm",
      failed("the sform says voxels of 4x4x4 mm, pixdim 2x2x2 mm: the voxel size is"));
  cases.add(
      "sheared",
      [](NiftiFixture& file) {
        file.srow[1] = -0.4F;
        file.srow[5] = -std::sqrt(16.0F - 0.16F);
      },
      "an sform with shear, from an affine registration",
      failed("sheared sform (cosine 0.1 between two axes, expected 0)"));
  cases.add(
      "singular", [](NiftiFixture& file) { file.srow.fill(0.0F); }, "an sform of zeros",
      failed("singular sform (its columns must be finite and not 0)"));
  cases.add(
      "quaternion",
      [](NiftiFixture& file) {
        set_qform(file);
        file.sform_code = 0;
        file.quaternion_and_offset[0] = 3.0F;
      },
      "a qform that is no rotation",
      failed("damaged header: the qform's quaternion is not a rotation"));
  const Eigen::Vector3d x(1, 0, 0), y(0, 1, 0), z(0, 0, 1);
  const Head radiological = turned(columns(-x, y, z), {40, 45, 38}, {4, 4, 4});
  cases.add("flipped", files_of(radiological), "the first axis runs to the right",
            measured(radiological.volumes()));
  const Head sagittal = turned(columns(y, -z, x), {45, 38, 40}, {4, 4, 4});
  cases.add("sagittal", files_of(sagittal), "sagittal slices: axes in another order",
            measured(sagittal.volumes()));
  const Head thick = turned(columns(x, y, z), {80, 90, 25}, {2, 2, 6});
  cases.add("thick_slices", files_of(thick), "slices of 6 mm, voxels of 2 mm within",
            measured(thick.volumes()));
}

void add_dimensions(HeaderCases& cases) {
  const auto dimensions = [](std::vector<int> dim) {
    return [dim = std::move(dim)](NiftiFixture& file) { file.dim = dim; };
  };
  cases.add("four_d_of_one", dimensions({4, 40, 45, 38, 1}), "4-D with one image", as_good());
  cases.add(
      "four_d",
      [](NiftiFixture& file) {
        file.dim = {4, 40, 45, 38, 2};
        file.voxels += file.voxels;
      },
      "4-D with two images",
      failed("4-D image (40x45x38x2), expected 3-D; name the image to take of it in a manifest"));
  cases.add(
      "five_d",
      [](NiftiFixture& file) {
        file.dim = {5, 40, 45, 38, 1, 3};
        file.voxels += file.voxels + file.voxels;
      },
      "5-D with vectors, as ANTs writes warps", failed("5-D image (40x45x38x1x3), expected 3-D"));
  cases.add("no_dimension", dimensions({0, 40, 45, 38}), "0 dimensions",
            failed("damaged header: 0 dimensions, expected 3"));
  cases.add("many_dimensions", dimensions({9, 40, 45, 38}), "9 dimensions",
            failed("damaged header: 9 dimensions, expected 3"));
  cases.add("empty_axis", dimensions({3, 40, 0, 38}), "an axis of 0 voxels",
            failed("damaged header: dimension 2 has 0 voxels, expected at least 1"));
  cases.add("negative_axis", dimensions({3, 40, 45, -38}), "an axis of -38 voxels",
            failed("damaged header: dimension 3 has -38 voxels, expected at least 1"));
  cases.add("two_d", dimensions({2, 1800, 38}), "a single slice, 2-D",
            failed("2-D image (1800x38), expected 3-D; is this the right file?"));
  cases.add("huge", dimensions({3, 32000, 32000, 32000}), "claims 32000^3 voxels",
            failed("claims 32000x32000x32000 voxels, more than the 2^32 that can be read"));
  cases.add("large_claim", dimensions({3, 1500, 1500, 1500}), "claims 1500^3 voxels, 13 GB",
            failed("that its header claims; copy it again"));
}

}  // namespace

void headers(Kind& kind) {
  HeaderCases cases(kind);
  add_formats(cases);
  add_units(cases);
  add_places(cases);
  add_dimensions(cases);
  cases.run();
}

}  // namespace mcvol::testing
