#include "voxel_reader.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

#include "refusal.h"

namespace mcvol {
namespace {

/// What is wrong with voxels, counted over the whole image.
struct Tally {
  std::int64_t not_finite = 0;  ///< as stored
  std::int64_t beyond = 0;      ///< finite as stored, but not as a scaled float
  std::int64_t inexact = 0;     ///< integers of 64 bits that a double does not hold
};

template <typename Stored>
Stored load(const char* bytes, bool swapped) {
  std::array<char, sizeof(Stored)> field;
  std::memcpy(field.data(), bytes, sizeof(Stored));
  if (swapped) {
    std::reverse(field.begin(), field.end());
  }
  return std::bit_cast<Stored>(field);
}

template <typename Stored>
void convert(const char* bytes, std::size_t count, const ImageHeader& header, bool swapped,
             float* values, Tally& tally) {
  for (std::size_t n = 0; n < count; ++n) {
    const auto stored = static_cast<double>(load<Stored>(bytes + n * sizeof(Stored), swapped));
    if constexpr (std::is_integral_v<Stored> && sizeof(Stored) == 8) {
      constexpr double kMostExact = 9007199254740992.0;  // 2^53
      tally.inexact += std::abs(stored) > kMostExact ? 1 : 0;
    }
    values[n] = static_cast<float>(header.slope * stored + header.intercept);
    if (!std::isfinite(values[n])) {
      ++(std::isfinite(stored) ? tally.beyond : tally.not_finite);
    }
  }
}

using Converter = void (*)(const char*, std::size_t, const ImageHeader&, bool, float*, Tally&);

Converter converter_for(VoxelType type) {
  switch (type) {
    case VoxelType::kUint8:
      return convert<std::uint8_t>;
    case VoxelType::kInt8:
      return convert<std::int8_t>;
    case VoxelType::kUint16:
      return convert<std::uint16_t>;
    case VoxelType::kInt16:
      return convert<std::int16_t>;
    case VoxelType::kUint32:
      return convert<std::uint32_t>;
    case VoxelType::kInt32:
      return convert<std::int32_t>;
    case VoxelType::kUint64:
      return convert<std::uint64_t>;
    case VoxelType::kInt64:
      return convert<std::int64_t>;
    case VoxelType::kFloat32:
      return convert<float>;
    case VoxelType::kFloat64:
      return convert<double>;
  }
  return nullptr;
}

void refuse_bad_voxels(const std::string& name, const ImageHeader& header, const Tally& tally) {
  const std::string of_all = " of " + std::to_string(header.grid.voxel_count()) + " voxels ";
  if (tally.not_finite > 0) {
    refuse(name, std::to_string(tally.not_finite) + of_all +
                     "are NaN or infinite, expected finite intensities; replace them by 0 if they "
                     "are background");
  }
  if (tally.beyond > 0) {
    refuse(name, std::to_string(tally.beyond) + of_all +
                     "exceed single precision once scaled; check scl_slope");
  }
  if (tally.inexact > 0) {
    refuse(name, std::to_string(tally.inexact) + of_all +
                     "are integers beyond 2^53, expected intensities or labels; is this the right "
                     "file?");
  }
}

}  // namespace

void VoxelReader::read(const ByteSource& source, float* values) const {
  std::vector<char> buffer(std::size_t{1} << 20U);  // a multiple of every voxel's size
  const Converter convert_voxels = converter_for(header_.type);
  const auto voxel_bytes = static_cast<std::size_t>(bytes_of(header_.type));
  const auto count = static_cast<std::size_t>(header_.grid.voxel_count());
  Tally tally;
  for (std::size_t voxel = 0; voxel < count;) {
    const std::size_t wanted = std::min(buffer.size(), (count - voxel) * voxel_bytes);
    const std::size_t got = source(buffer.data(), wanted);
    if (got < wanted) {
      refuse(name_, "truncated: " + std::to_string(voxel * voxel_bytes + got) +
                        " bytes of voxels, expected " + std::to_string(count * voxel_bytes) +
                        "; copy it again");
    }
    convert_voxels(buffer.data(), got / voxel_bytes, header_, swapped_, values + voxel, tally);
    voxel += got / voxel_bytes;
  }
  refuse_bad_voxels(name_, header_, tally);
}

}  // namespace mcvol
