#pragma once

#include "mcvol/image/grid.h"

#include <cstdint>
#include <filesystem>
#include <string>

namespace mcvol {

/// How the voxels of a NIfTI file are stored. The numbers are the format's datatype codes.
enum class NiftiDatatype : std::int16_t {
  kUint8 = 2,
  kInt16 = 4,
  kInt32 = 8,
  kFloat32 = 16,
  kFloat64 = 64,
  kInt8 = 256,
  kUint16 = 512,
  kUint32 = 768,
};

/// What a NIfTI-1 file (.nii, .nii.gz) says of itself, checked.
struct NiftiHeader {
  /// LPS; computed here from sform or qform, so it does not depend on a library's preference.
  Grid grid;
  /// False where sform_code and qform_code are both 0: the spacing is known, which way the axes run
  /// is not (the grid then follows NIfTI's method 1, RAS).
  bool orientation_known = true;
  NiftiDatatype datatype = NiftiDatatype::kFloat32;
  double slope = 1.0;  ///< value = slope * stored + intercept
  double intercept = 0.0;
  std::int64_t data_offset = 352;  ///< bytes, in the uncompressed file
  bool byte_swapped = false;       ///< the other endianness than this machine's

  std::int64_t bytes_per_voxel() const;
  std::int64_t data_bytes() const { return grid.voxel_count() * bytes_per_voxel(); }
};

/// Reads and checks the header; no voxel is read and nothing of the image's size is allocated.
///
/// Which transform counts: sform where sform_code > 0, else qform where qform_code > 0 (as nibabel
/// and FSL choose; a sform with another rotation or origin than the qform simply wins). But where
/// the voxel size of the sform and pixdim differ by more than 0.1 % the file does not say how large
/// a voxel is, and is refused; so is a sheared or singular sform. Units of metre or micron are
/// honoured, unknown units mean mm. A slope of 0 or NaN means that nothing is scaled.
///
/// 3-D only; a fourth dimension of 1 is accepted. NIfTI-2, Analyze and .hdr/.img pairs, complex,
/// RGB and 64-bit integer voxels and more than 2^32 voxels are refused by name.
/// @throws InputError, one line that starts with the file's name.
NiftiHeader read_nifti_header(const std::filesystem::path& path);

}  // namespace mcvol
