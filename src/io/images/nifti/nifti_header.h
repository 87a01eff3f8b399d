#pragma once

#include "mcvol/io/images/image_header.h"

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>

namespace mcvol {

/// What a NIfTI header says of place and unit, as it stands there.
struct NiftiPlacement {
  std::array<double, 4> pixdim{1, 1, 1, 1};  ///< the first is qfac
  int length_unit = 2;                       ///< 2: mm
  int qform_code = 0, sform_code = 0;
  std::array<double, 3> quaternion{}, qoffset{};
  std::array<double, 12> srow{};
};

/// What it takes beyond the checked header to read the voxels of a NIfTI file.
struct NiftiHeader : ImageHeader {
  std::int64_t data_offset = 352;  ///< bytes, in the uncompressed file
  bool byte_swapped = false;       ///< the other endianness than this machine's
  NiftiPlacement placement;

  std::int64_t data_bytes() const { return grid.voxel_count() * bytes_of(type); }
};

/// As read_image_header(). @throws InputError likewise.
NiftiHeader read_nifti_header(const std::filesystem::path& path);

}  // namespace mcvol
