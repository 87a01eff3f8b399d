#pragma once

#include "mcvol/image/grid.h"
#include "mcvol/io/images/image_header.h"

#include <filesystem>

#include "nifti_header.h"

namespace mcvol {

/// Writes a NIfTI-1 file, .nii or .nii.gz by the name, sform and qform both set, whole or not at
/// all.
/// @param type kUint8 or kFloat32. @param values of that type, i fastest.
/// @param like not null: what is written of place and unit in place of the grid's.
/// @throws Error naming the file when it cannot be written or the format does not hold its size.
void write_nifti(const std::filesystem::path& path, const Grid& grid, VoxelType type,
                 const void* values, const NiftiPlacement* like = nullptr);

}  // namespace mcvol
