#pragma once

#include <filesystem>

#include "nifti_header.h"

namespace mcvol {

/// Before anybody allocates what the header of a compressed file claims: it is unpacked once, and
/// its bytes counted, unless gzip's own count at the end of the file agrees.
/// @throws InputError for a file that is shorter than its header claims, or damaged.
void require_nifti_voxels(const std::filesystem::path& path, const NiftiHeader& header);

/// Reads the voxels of the file's image that the header is of, scaled, and the file to its end,
/// where gzip keeps its checksum.
/// @param values room for header.grid.voxel_count() of them, i fastest.
/// @throws InputError as read_image().
void read_nifti_voxels(const ImageSource& source, const NiftiHeader& header, float* values);

}  // namespace mcvol
