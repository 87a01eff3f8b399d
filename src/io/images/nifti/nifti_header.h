#pragma once

#include "mcvol/io/images/image_header.h"

#include <cstdint>
#include <filesystem>
#include <string>

namespace mcvol {

/// What it takes beyond the checked header to read the voxels of a NIfTI file.
struct NiftiHeader : ImageHeader {
  std::int64_t data_offset = 352;  ///< bytes, in the uncompressed file
  bool byte_swapped = false;       ///< the other endianness than this machine's

  std::int64_t data_bytes() const { return grid.voxel_count() * bytes_of(type); }
};

/// As read_image_header(). @throws InputError likewise.
NiftiHeader read_nifti_header(const std::filesystem::path& path);

}  // namespace mcvol
