#pragma once

#include <filesystem>

#include "nifti_header.h"

namespace mcvol {

/// Reads a file's voxels, scaled, to its end, where gzip keeps its checksum.
/// @param values room for header.grid.voxel_count() of them, i fastest.
/// @throws InputError as read_image().
void read_nifti_voxels(const std::filesystem::path& path, const NiftiHeader& header, float* values);

}  // namespace mcvol
