#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace mcvol {

/// The head of a NRRD or MetaImage file, lines of text before the voxels.
struct TextHeader {
  std::map<std::string, std::string> fields;  ///< by name, in lower case
  std::int64_t data_offset = 0;
  bool compressed = false;         ///< by gzip (NRRD) or zlib (MetaImage)
  bool orientation_known = false;  ///< it says which way its axes run in the patient
};

/// Reads the head and refuses by name what would be read wrongly or not at all: voxels in another
/// file, as text, in several components or parts, of other than three dimensions, in another unit
/// than mm. Formats: https://teem.sourceforge.net/nrrd/format.html,
/// https://itk.org/Wiki/ITK/MetaIO/Documentation.
/// @throws InputError, one line that starts with the file's name.
TextHeader read_nrrd_header(const std::filesystem::path& path);
TextHeader read_meta_header(const std::filesystem::path& path);

/// Whether the file can hold so many bytes of voxels: before anybody allocates what a header
/// claims.
/// @throws InputError where it cannot.
void require_room(const std::filesystem::path& path, const TextHeader& header,
                  std::int64_t data_bytes);
/// Whether all are there: unpacks them once and drops them, to the checksum, for ITK's readers do
/// not all notice that a file is cut short. @throws InputError where they are not.
void require_whole(const std::filesystem::path& path, const TextHeader& header,
                   std::int64_t data_bytes);

}  // namespace mcvol
