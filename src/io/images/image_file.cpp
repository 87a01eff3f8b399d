#include "mcvol/io/images/image_file.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <limits>
#include <string>
#include <vector>

#include "gz_reader.h"
#include "nifti_raw_header.h"

// Voxels are read here and not through ITK 5.2's NiftiImageIO. Tried on purpose-made files, that
// one takes the voxels of a.nii when asked for a.nii.gz beside it, turns NaN into 0 without a word,
// prefers sform or qform according to their codes, and refuses an sform whose axes are off a right
// angle by 0.03 degrees.

namespace mcvol {
namespace {

/// What is wrong with voxels, counted over the whole image.
struct Tally {
  std::int64_t not_finite = 0;  ///< as stored
  std::int64_t beyond = 0;      ///< finite as stored, but not as a scaled float
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
void convert(const char* bytes, std::size_t count, const NiftiHeader& header, float* values,
             Tally& tally) {
  for (std::size_t n = 0; n < count; ++n) {
    const auto stored =
        static_cast<double>(load<Stored>(bytes + n * sizeof(Stored), header.byte_swapped));
    values[n] = static_cast<float>(header.slope * stored + header.intercept);
    if (!std::isfinite(values[n])) {
      ++(std::isfinite(stored) ? tally.beyond : tally.not_finite);
    }
  }
}

using Converter = void (*)(const char*, std::size_t, const NiftiHeader&, float*, Tally&);

Converter converter_for(NiftiDatatype datatype) {
  switch (datatype) {
    case NiftiDatatype::kUint8:
      return convert<std::uint8_t>;
    case NiftiDatatype::kInt8:
      return convert<std::int8_t>;
    case NiftiDatatype::kUint16:
      return convert<std::uint16_t>;
    case NiftiDatatype::kInt16:
      return convert<std::int16_t>;
    case NiftiDatatype::kUint32:
      return convert<std::uint32_t>;
    case NiftiDatatype::kInt32:
      return convert<std::int32_t>;
    case NiftiDatatype::kFloat32:
      return convert<float>;
    case NiftiDatatype::kFloat64:
      return convert<double>;
  }
  return nullptr;
}

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

void refuse_bad_voxels(const std::string& name, const NiftiHeader& header, const Tally& tally) {
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
}

}  // namespace

Image<float> read_image(const std::filesystem::path& path) {
  return read_image(path, read_nifti_header(path));
}

Image<float> read_image(const std::filesystem::path& path, const NiftiHeader& header) {
  const std::string name = path.filename().string();
  GzReader reader(path);
  std::vector<char> buffer(std::size_t{1} << 20U);  // a multiple of every voxel's size
  std::int64_t position = skip(reader, buffer, header.data_offset);

  Image<float> image(header.grid);
  const Converter convert_voxels = converter_for(header.datatype);
  const auto voxel_bytes = static_cast<std::size_t>(header.bytes_per_voxel());
  Tally tally;
  for (std::size_t voxel = 0; voxel < image.values.size();) {
    const std::size_t wanted = std::min(buffer.size(), (image.values.size() - voxel) * voxel_bytes);
    const std::size_t got = reader.read(buffer.data(), wanted);
    position += static_cast<std::int64_t>(got);
    if (got < wanted) {
      refuse_truncated(name, header, position);
    }
    convert_voxels(buffer.data(), got / voxel_bytes, header, &image.values[voxel], tally);
    voxel += got / voxel_bytes;
  }
  // To the end, where gzip keeps its checksum.
  skip(reader, buffer, std::numeric_limits<std::int64_t>::max());
  refuse_bad_voxels(name, header, tally);
  return image;
}

Image<std::int32_t> read_label_map(const std::filesystem::path& path) {
  constexpr float kTolerance = 1e-3F;
  constexpr float kLargest = 1e6F;  // far from where single precision skips integers
  const Image<float> image = read_image(path);
  Image<std::int32_t> labels(image.grid);
  for (std::size_t voxel = 0; voxel < labels.values.size(); ++voxel) {
    const float value = image.values[voxel];
    const float nearest = std::round(value);
    if (std::abs(value - nearest) > kTolerance || std::abs(nearest) > kLargest) {
      refuse(path.filename().string(),
             "value " + short_number(value) +
                 " in a label map, expected integers up to 1000000; is this the right file?");
    }
    labels.values[voxel] = static_cast<std::int32_t>(nearest);
  }
  return labels;
}

}  // namespace mcvol
