#pragma once

#include "mcvol/io/images/image_header.h"

#include <cstdint>
#include <filesystem>

namespace mcvol {

/// Whether the name is that of a NRRD or MetaImage file, by its ending in any case.
bool named_like_text_image(const std::filesystem::path& path);

/// What a NRRD or MetaImage file says of itself, checked, and where its voxels are.
struct TextHeader : ImageHeader {
  std::int64_t data_offset = 0;
  bool byte_swapped = false;
  bool compressed = false;  ///< by gzip (NRRD) or zlib (MetaImage)

  std::int64_t data_bytes() const { return grid.voxel_count() * bytes_of(type); }
};

/// Read here and not by ITK 5.2's NrrdImageIO and MetaImageIO. Tried on purpose-made files, those
/// take a voxel size that is missing for 1 mm, read as many compressed bytes as a field says and
/// leave the rest 0 without a word, match some keys in any case and others not, and put lines of
/// the header, names of patients too, into their messages. What they read of clean files is the
/// same: tests hold the two together.
///
/// Refused by name: voxels in another file, as text, of several components, in other than three
/// dimensions or in another unit than mm, scaled by the header, of an unknown size.
/// Formats: https://teem.sourceforge.net/nrrd/format.html,
/// https://itk.org/Wiki/ITK/MetaIO/Documentation.
/// @throws InputError, one line that starts with the file's name.
TextHeader read_text_header(const std::filesystem::path& path);

/// Before anybody allocates what the header of a compressed file claims: it is unpacked once.
/// @throws InputError for a file that is shorter than its header claims, or damaged.
void require_text_voxels(const std::filesystem::path& path, const TextHeader& header);

/// Reads a file's voxels to their end, where the checksum is.
/// @param values room for header.grid.voxel_count() of them, i fastest.
/// @throws InputError as read_image().
void read_text_voxels(const std::filesystem::path& path, const TextHeader& header, float* values);

}  // namespace mcvol
