#include "nifti_writer.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"

#include <bit>
#include <cstring>
#include <limits>
#include <string>

#include <Eigen/Geometry>
#include <Eigen/LU>
#include <zlib.h>

namespace mcvol {
namespace {

static_assert(std::endian::native == std::endian::little, "headers are written as they lie");

constexpr std::size_t kDataOffset = 352;

template <typename Value>
void put(std::string& bytes, std::size_t offset, Value value) {
  std::memcpy(bytes.data() + offset, &value, sizeof(value));
}

void put_float(std::string& bytes, std::size_t offset, double value) {
  put(bytes, offset, static_cast<float>(value));
}

/// sform and qform; both say RAS where Grid says LPS.
void put_transforms(std::string& bytes, const Grid& grid) {
  const Eigen::Vector3d ras_from_lps(-1.0, -1.0, 1.0);
  const Eigen::Matrix3d direction = ras_from_lps.asDiagonal() * grid.direction;
  const Eigen::Vector3d origin_mm = ras_from_lps.cwiseProduct(grid.origin_mm);
  const Eigen::Matrix3d matrix = direction * grid.spacing_mm.asDiagonal();
  put<std::int16_t>(bytes, 252, 1);  // qform_code: scanner
  put<std::int16_t>(bytes, 254, 1);  // sform_code
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t column = 0; column < 3; ++column) {
      put_float(bytes, 280 + 16 * row + 4 * column, matrix(row, column));
    }
    put_float(bytes, 280 + 16 * row + 12, origin_mm[static_cast<Eigen::Index>(row)]);
    put_float(bytes, 268 + 4 * row, origin_mm[static_cast<Eigen::Index>(row)]);
  }
  const double qfac = direction.determinant() < 0.0 ? -1.0 : 1.0;
  Eigen::Matrix3d rotation = direction;
  rotation.col(2) *= qfac;
  Eigen::Quaterniond quaternion(rotation);
  quaternion.normalize();
  // The format drops the first component, which it takes as positive.
  if (quaternion.w() < 0.0) {
    quaternion.coeffs() *= -1.0;
  }
  put_float(bytes, 76, qfac);
  put_float(bytes, 256, quaternion.x());
  put_float(bytes, 260, quaternion.y());
  put_float(bytes, 264, quaternion.z());
}

void put_placement(std::string& bytes, const NiftiPlacement& like) {
  bytes[123] = static_cast<char>(like.length_unit);
  put(bytes, 252, static_cast<std::int16_t>(like.qform_code));
  put(bytes, 254, static_cast<std::int16_t>(like.sform_code));
  for (std::size_t n = 0; n < 4; ++n) put_float(bytes, 76 + 4 * n, like.pixdim[n]);
  for (std::size_t n = 0; n < 3; ++n) {
    put_float(bytes, 256 + 4 * n, like.quaternion[n]);
    put_float(bytes, 268 + 4 * n, like.qoffset[n]);
  }
  for (std::size_t n = 0; n < 12; ++n) put_float(bytes, 280 + 4 * n, like.srow[n]);
}

std::int16_t nifti_code(VoxelType type) { return type == VoxelType::kUint8 ? 2 : 16; }

std::string header_of(const std::string& name, const Grid& grid, VoxelType type,
                      std::size_t bytes_per_voxel) {
  std::string bytes(kDataOffset, '\0');
  put<std::int32_t>(bytes, 0, 348);
  bytes[38] = 'r';
  put<std::int16_t>(bytes, 40, 3);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (grid.size[axis] < 1 || grid.size[axis] > std::numeric_limits<std::int16_t>::max()) {
      throw Error(name +
                  ": cannot be written, NIfTI-1 holds 1 to 32767 voxels along an axis, not " +
                  std::to_string(grid.size[axis]));
    }
    put(bytes, 42 + 2 * axis, static_cast<std::int16_t>(grid.size[axis]));
    put_float(bytes, 80 + 4 * axis, grid.spacing_mm[static_cast<Eigen::Index>(axis)]);
  }
  for (std::size_t unused = 4; unused < 8; ++unused) {
    put<std::int16_t>(bytes, 40 + 2 * unused, 1);
    put_float(bytes, 76 + 4 * unused, 1.0);
  }
  put(bytes, 70, nifti_code(type));
  put(bytes, 72, static_cast<std::int16_t>(8 * bytes_per_voxel));
  put_float(bytes, 108, kDataOffset);
  put_float(bytes, 112, 1.0);  // scl_slope
  bytes[123] = 2;              // mm
  put_transforms(bytes, grid);
  std::memcpy(bytes.data() + 344, "n+1", 4);
  return bytes;
}

std::string gzipped(const std::string& name, std::string& bytes) {
  z_stream stream{};
  constexpr int kGzip = 15 + 16;  // largest window, gzip header without a time
  if (deflateInit2(&stream, 6, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw Error(name + ": cannot be compressed, out of memory");
  }
  std::string packed;
  std::string chunk(std::size_t{1} << 20U, '\0');
  constexpr std::size_t kMost = std::size_t{1} << 30U;
  std::size_t given = 0;
  int result = Z_OK;
  while (result == Z_OK) {
    if (stream.avail_in == 0 && given < bytes.size()) {
      const std::size_t more = std::min(kMost, bytes.size() - given);
      stream.next_in = reinterpret_cast<Bytef*>(bytes.data() + given);
      stream.avail_in = static_cast<uInt>(more);
      given += more;
    }
    stream.next_out = reinterpret_cast<Bytef*>(chunk.data());
    stream.avail_out = static_cast<uInt>(chunk.size());
    result = deflate(&stream, given == bytes.size() ? Z_FINISH : Z_NO_FLUSH);
    packed.append(chunk.data(), chunk.size() - stream.avail_out);
  }
  deflateEnd(&stream);
  if (result != Z_STREAM_END) {
    throw Error(name + ": cannot be compressed (zlib error " + std::to_string(result) + ")");
  }
  return packed;
}

}  // namespace

void write_nifti(const std::filesystem::path& path, const Grid& grid, VoxelType type,
                 const void* values, const NiftiPlacement* like) {
  const std::string name = path.filename().string();
  const auto voxel_bytes = static_cast<std::size_t>(bytes_of(type));
  std::string bytes = header_of(name, grid, type, voxel_bytes);
  if (like != nullptr) put_placement(bytes, *like);
  bytes.append(static_cast<const char*>(values),
               static_cast<std::size_t>(grid.voxel_count()) * voxel_bytes);
  if (path.extension() == ".gz") {
    bytes = gzipped(name, bytes);
  }
  write_file_atomically(path, bytes);
}

}  // namespace mcvol
