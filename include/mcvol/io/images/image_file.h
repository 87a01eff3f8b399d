#pragma once

#include "mcvol/image/image.h"
#include "mcvol/io/images/image_source.h"

#include <cstdint>
#include <filesystem>

namespace mcvol {

/// Reads an image, scaling applied, on the grid of read_image_header(). Integers beyond 2^24 and
/// 64-bit floats are rounded to single precision.
/// @throws InputError, one line that starts with the file's name: what read_image_header() refuses;
/// a
///   file cut short or whose gzip checksum is wrong; NaN or infinite voxels, with their number (a
///   volume measured on such an image could be silently wrong); integers beyond 2^53.
Image<float> read_image(const ImageSource& source);

/// Reads a label map; values within 1e-3 of an integer are that integer.
/// @throws InputError as read_image, and for any other value.
Image<std::int32_t> read_label_map(const std::filesystem::path& path);

/// Writes a .nii or .nii.gz (by the name), sform and qform both set, whole or not at all. The same
/// image gives the same bytes. Sizes up to 32767 voxels along an axis (the format's limit).
/// @throws Error naming the file when it cannot be written.
void write_image(const std::filesystem::path& path, const Image<float>& image);
void write_image(const std::filesystem::path& path, const Image<std::uint8_t>& image);

/// The same for an image on the grid of `source`, an image of a scan: where that is NIfTI, its
/// sform, qform, their codes, voxel size and unit of length are written as they stand there, so
/// that whatever a viewer makes of them it makes of both.
/// @throws Error, and InputError naming `source` where that cannot be read or is of another size.
void write_image_like(const std::filesystem::path& path, const Image<std::uint8_t>& image,
                      const ImageSource& source);
/// @param slope value = slope * stored.
void write_image_like(const std::filesystem::path& path, const Image<std::uint16_t>& image,
                      const ImageSource& source, double slope);

}  // namespace mcvol
