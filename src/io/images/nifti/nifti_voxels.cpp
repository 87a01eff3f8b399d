#include "nifti_voxels.h"

#include <algorithm>
#include <cstdint>
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

}  // namespace

void read_nifti_voxels(const std::filesystem::path& path, const NiftiHeader& header,
                       float* values) {
  const std::string name = path.filename().string();
  GzReader reader(path);
  std::vector<char> buffer(std::size_t{1} << 20U);
  std::int64_t position = skip(reader, buffer, header.data_offset);
  const auto read = [&](void* to, std::size_t bytes) {
    const std::size_t got = reader.read(to, bytes);
    position += static_cast<std::int64_t>(got);
    if (got < bytes) refuse_truncated(name, header, position);
    return got;
  };
  VoxelReader(name, header, header.byte_swapped).read(read, values);
  skip(reader, buffer, std::numeric_limits<std::int64_t>::max());
}

}  // namespace mcvol
