#pragma once

#include "mcvol/image/slice_plane.h"
#include "mcvol/io/records/case_record.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace mcvol {

/// A slice: the scan and what the network said there.
struct ThumbnailSlice {
  Plane plane = Plane::kAxial;
  std::int64_t width = 0, height = 0;  ///< as SlicePlane makes of the record's grid
  /// On the grid's axis SlicePlane::through; none in files of version 0.1.
  std::optional<std::int64_t> index;
  /// Grey values of each channel kept, [row, column]: 0 outside the brain, else 1 to 255.
  std::vector<std::vector<std::uint8_t>> channels;
  /// Per region, [row, column]: the mean probability over passes as byte_from_probability().
  std::vector<std::vector<std::uint8_t>> regions;
};

/// A few slices of a measured case. Data, not a drawing: contours are drawn where it is
/// shown, for whatever level and calibration.
struct Thumbnail {
  /// Numbers in the model's list of the channels kept; that of the one in files of version 0.1 is
  /// not known.
  std::vector<std::optional<std::size_t>> channels;
  std::vector<std::size_t> channel_of_region;  ///< which of `channels` it is seen on
  std::vector<ThumbnailSlice> slices;          ///< the axial one with most of the tumour first
  std::optional<Measurement> measurement;      ///< that it is of; none in files before format 3

  /// Of each kind at most; a file that says more is refused.
  static constexpr std::size_t kMostChannels = 2;
  static constexpr std::size_t kMostSlices = 5;
  static constexpr std::size_t kMostAxialSlices = 3;
};

/// A probability on 254 steps of its logit: 1 at -16 and below, 128 at p = 0.5, 255 at 16. 0 is
/// kept for pixels that were not measured.
std::uint8_t byte_from_probability(double probability);
/// What the byte, whole or in between, stands for.
double logit_from_byte(double byte);
double byte_from_logit(double logit);

/// Where a result folder keeps a case's slice: `folder`/thumbnails/<case_id>.png.
std::filesystem::path thumbnail_path(const std::filesystem::path& folder,
                                     const std::string& case_id);
/// That of an earlier measurement, where there is one.
void remove_thumbnail(const std::filesystem::path& folder, const std::string& case_id) noexcept;

/// An 8-bit grey PNG: rows of a head that says what is below it, then slice by slice the channels
/// and the regions (docs/formats.md). Written atomically. @throws Error when it cannot be written.
void write_thumbnail(const Thumbnail& thumbnail, const std::filesystem::path& path);

/// Reads older files as well, which have axial slices only. @param grid of the case's record.
/// @throws InputError naming the file (without its folder) where
///   it is not the slice of such a case; Error where it cannot be read.
Thumbnail read_thumbnail(const std::filesystem::path& path, const Grid& grid, std::size_t regions);

}  // namespace mcvol
