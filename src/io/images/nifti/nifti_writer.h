#pragma once

#include "mcvol/image/grid.h"
#include "mcvol/io/images/image_header.h"

#include <filesystem>

#include "nifti_header.h"

namespace mcvol {

/// What is to be written.
struct WrittenImage {
  Grid grid;
  VoxelType type = VoxelType::kFloat32;  ///< or kUint8, kUint16
  double slope = 1.0;                    ///< value = slope * stored
};

/// Writes a NIfTI-1 file, .nii or .nii.gz by the name, sform and qform both set, whole or not at
/// all.
/// @param values of image.type, i fastest.
/// @param like not null: what is written of place and unit in place of the grid's.
/// @throws Error naming the file when it cannot be written or the format does not hold its size.
void write_nifti(const std::filesystem::path& path, const WrittenImage& image, const void* values,
                 const NiftiPlacement* like = nullptr);

}  // namespace mcvol
