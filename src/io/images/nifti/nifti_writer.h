#pragma once

#include "mcvol/image/grid.h"
#include "mcvol/io/images/image_header.h"

#include <filesystem>

namespace mcvol {

/// Writes a NIfTI-1 file, .nii or .nii.gz by the name, sform and qform both set, whole or not at
/// all.
/// @param type kUint8 or kFloat32. @param values of that type, i fastest.
/// @throws Error naming the file when it cannot be written or the format does not hold its size.
void write_nifti(const std::filesystem::path& path, const Grid& grid, VoxelType type,
                 const void* values);

}  // namespace mcvol
