#pragma once

#include "mcvol/io/images/image_header.h"
#include "mcvol/io/images/image_source.h"

#include <array>
#include <cstdint>

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
  std::int64_t images = 1;  ///< that the file holds, one after the other: 1 unless it is 4-D
  std::int64_t index = 0;   ///< of them, the one asked for

  std::int64_t image_bytes() const { return grid.voxel_count() * bytes_of(type); }
  /// Of all voxels in the file.
  std::int64_t data_bytes() const { return images * image_bytes(); }
};

/// As read_image_header(). @throws InputError likewise.
NiftiHeader read_nifti_header(const ImageSource& source);

}  // namespace mcvol
