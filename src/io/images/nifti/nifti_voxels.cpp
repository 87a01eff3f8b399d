#include "nifti_voxels.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>
#include <vector>

#include "gz_reader.h"
#include "io/images/voxel_reader.h"
#include "nifti_raw_header.h"

namespace mcvol {
namespace {

/// Reads on until `bytes` have come or the file ends. @returns how many came.
std::int64_t skip(GzReader& reader, std::vector<char>& buffer, std::int64_t bytes) {
  std::int64_t done = 0;
  while (done < bytes) {
    const auto wanted = std::min<std::int64_t>(bytes - done, std::ssize(buffer));
    const auto got =
        static_cast<std::int64_t>(reader.read(buffer.data(), static_cast<std::size_t>(wanted)));
    done += got;
    if (got < wanted) {
      break;
    }
  }
  return done;
}

/// How many bytes a gzip file says that it holds, modulo 2^32: of its last member.
std::uint32_t bytes_said(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<unsigned char, 4> bytes{};
  file.seekg(-4, std::ios::end);
  file.read(reinterpret_cast<char*>(bytes.data()), bytes.size());
  std::uint32_t said = 0;
  for (std::size_t n = 4; n-- > 0;) said = said << 8U | bytes[n];
  return file ? said : 0;
}

}  // namespace

void require_nifti_voxels(const std::filesystem::path& path, const NiftiHeader& header) {
  constexpr std::int64_t kMostSaid = std::int64_t{1} << 32U;
  const std::int64_t claimed_bytes = header.data_offset + header.data_bytes();
  GzReader reader(path);
  if (!reader.compressed()) return;  // The size of the file has told.
  if (claimed_bytes < kMostSaid && bytes_said(path) == claimed_bytes) return;
  std::vector<char> buffer(std::size_t{1} << 20U);
  const std::int64_t found_bytes = skip(reader, buffer, claimed_bytes);
  if (found_bytes < claimed_bytes) {
    refuse_truncated(path.filename().string(), header, found_bytes);
  }
}

void read_nifti_voxels(const ImageSource& source, const NiftiHeader& header, float* values) {
  GzReader reader(source.file);
  std::vector<char> buffer(std::size_t{1} << 20U);
  std::int64_t position =
      skip(reader, buffer, header.data_offset + header.index * header.image_bytes());
  const auto read = [&](void* to, std::size_t bytes) {
    const std::size_t got = reader.read(to, bytes);
    position += static_cast<std::int64_t>(got);
    if (got < bytes) refuse_truncated(source.file.filename().string(), header, position);
    return got;
  };
  VoxelReader(source.name(), header, header.byte_swapped).read(read, values);
  skip(reader, buffer, std::numeric_limits<std::int64_t>::max());
}

}  // namespace mcvol
