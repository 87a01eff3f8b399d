#pragma once

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>

namespace mcvol {

/// Where a 3-D image is stored: in a file of its own, or as one of several in a 4-D NIfTI file.
struct ImageSource {
  std::filesystem::path file;
  /// Along the file's fourth dimension, from 0; none: the file is 3-D.
  std::optional<std::int64_t> index;

  ImageSource() = default;
  /// Not explicit: a path is the usual source.
  template <std::convertible_to<std::filesystem::path> Path>
  ImageSource(Path&& path, std::optional<std::int64_t> at = {})
      : file(std::forward<Path>(path)), index(at) {}

  /// For messages, without the folder: "a.nii.gz", "a.nii.gz[2]".
  std::string name() const;
  bool operator==(const ImageSource&) const = default;
};

/// Of a path as a user writes it, with `[2]` at its end for an image of a 4-D file. A file that is
/// called so, brackets and all, is itself meant.
ImageSource image_source_from(const std::filesystem::path& path);

}  // namespace mcvol
