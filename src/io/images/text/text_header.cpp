#include "text_header.h"

#include "mcvol/files/text.h"

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "deflate_reader.h"
#include "io/images/grid_checks.h"
#include "io/images/refusal.h"
#include "io/images/voxel_reader.h"
#include "meta_header.h"
#include "nrrd_header.h"
#include "text_fields.h"

namespace mcvol {
namespace {

/// Before anybody allocates what a header claims.
void require_room(const std::filesystem::path& path, const TextHeader& header) {
  const std::string name = path.filename().string();
  const std::int64_t stored =
      static_cast<std::int64_t>(std::filesystem::file_size(path)) - header.data_offset;
  // Deflate gives at most 1032 bytes for one.
  if (header.compressed && 1032 * stored < header.data_bytes()) {
    refuse(name, "truncated: " + std::to_string(stored) + " compressed bytes cannot hold the " +
                     std::to_string(header.data_bytes()) +
                     " that its header claims; copy it again");
  }
  if (!header.compressed && stored != header.data_bytes()) {
    refuse(name, (stored < header.data_bytes() ? "truncated: " : "damaged: ") +
                     std::to_string(stored) + " bytes of voxels, expected " +
                     std::to_string(header.data_bytes()) + "; copy it again");
  }
}

}  // namespace

bool named_like_text_image(const std::filesystem::path& path) {
  const std::string lower = lower_case(path.filename().string());
  for (const char* ending : {".nrrd", ".nhdr", ".mha", ".mhd"}) {
    if (lower.ends_with(ending)) return true;
  }
  return false;
}

TextHeader read_text_header(const std::filesystem::path& path) {
  const std::string name = path.filename().string();
  const std::string lower = lower_case(name);
  const bool nrrd = lower.ends_with(".nrrd") || lower.ends_with(".nhdr");
  const std::string head = beginning_of(path);
  const TextHeader header = nrrd ? nrrd_header(name, head) : meta_header(name, head);
  const Index3& size = header.grid.size;
  require_voxel_count(
      name, size,
      std::to_string(size[0]) + "x" + std::to_string(size[1]) + "x" + std::to_string(size[2]));
  require_voxel_size(name, header.grid.spacing_mm, nrrd ? "space directions" : "ElementSpacing");
  require_no_shear(name, header.grid.direction, nrrd ? "space directions" : "TransformMatrix");
  require_room(path, header);
  return header;
}

void require_text_voxels(const std::filesystem::path& path, const TextHeader& header) {
  if (!header.compressed) return;  // The size of the file has told.
  const std::string name = path.filename().string();
  std::ifstream file(path, std::ios::binary);
  file.seekg(header.data_offset);
  DeflateReader unpacked(name, file);
  std::vector<char> buffer(std::size_t{1} << 20U);
  for (std::int64_t left = header.data_bytes(); left > 0;) {
    const auto wanted = std::min<std::int64_t>(left, std::ssize(buffer));
    const auto got =
        static_cast<std::int64_t>(unpacked.read(buffer.data(), static_cast<std::size_t>(wanted)));
    left -= got;
    if (got < wanted) {
      refuse(name, "truncated: " + std::to_string(header.data_bytes() - left) +
                       " bytes of voxels, expected " + std::to_string(header.data_bytes()) +
                       "; copy it again");
    }
  }
}

void read_text_voxels(const std::filesystem::path& path, const TextHeader& header, float* values) {
  const std::string name = path.filename().string();
  std::ifstream file(path, std::ios::binary);
  file.seekg(header.data_offset);
  VoxelReader voxels(name, header, header.byte_swapped);
  if (!header.compressed) {
    voxels.read(
        [&](void* buffer, std::size_t bytes) {
          file.read(static_cast<char*>(buffer), static_cast<std::streamsize>(bytes));
          return static_cast<std::size_t>(file.gcount());
        },
        values);
    return;
  }
  DeflateReader unpacked(name, file);
  voxels.read([&](void* buffer, std::size_t bytes) { return unpacked.read(buffer, bytes); },
              values);
  // To its end, where the checksum is.
  char more = 0;
  if (unpacked.read(&more, 1) > 0) {
    refuse(name, "damaged: more than the " + std::to_string(header.data_bytes()) +
                     " bytes of voxels that its header says; copy it again");
  }
}

}  // namespace mcvol
