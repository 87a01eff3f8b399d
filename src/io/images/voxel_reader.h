#pragma once

#include "mcvol/io/images/image_header.h"

#include <cstddef>
#include <functional>
#include <string>

namespace mcvol {

/// Fills a buffer as far as the data go; returns the bytes it gave.
using ByteSource = std::function<std::size_t(void* buffer, std::size_t bytes)>;

/// Turns stored voxels into scaled floats, whatever the format.
class VoxelReader {
 public:
  /// @param name the file's. @param swapped the other endianness than this machine's.
  VoxelReader(std::string name, const ImageHeader& header, bool swapped)
      : name_(std::move(name)), header_(header), swapped_(swapped) {}

  /// @param values room for header.grid.voxel_count() of them, i fastest.
  /// @throws InputError, one line that starts with the file's name, where the source ends too
  /// early, and
  ///   for NaN, infinite and other voxels that a float cannot stand for, with their number.
  void read(const ByteSource& source, float* values) const;

 private:
  std::string name_;
  const ImageHeader& header_;
  bool swapped_;
};

}  // namespace mcvol
