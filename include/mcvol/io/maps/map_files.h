#pragma once

#include "mcvol/io/maps/map_names.h"

#include <filesystem>
#include <string>
#include <vector>

namespace mcvol {

/// The files of an image, in the order they are written in: what stands beside it, then its own.
std::vector<std::filesystem::path> files_of(const MapNames& names, const MapEntry& image);

/// The image before what stands beside it. @throws Error where one is there and stays.
void remove_image(const MapNames& names, const MapEntry& image);

/// Of images that are to be written.
/// @param replaced images whose files may be. @throws Error where another file stands in the place
///   of one of these: it is somebody's.
void require_own_files(const MapNames& names, const std::vector<MapEntry>& wanted,
                       const std::vector<MapEntry>& replaced);

/// Whether all files of these images are there.
bool all_there(const MapNames& names, const std::vector<MapEntry>& images);

/// Whether a list has images of a kind, and they are there.
bool has_images(const MapNames& names, const MapList& list, const std::string& kind);

/// A file of an image, to be opened. @throws InputError for anything but a file: opening a pipe
/// would wait for its other end.
const std::filesystem::path& require_file(const std::filesystem::path& path, const MapNames& names);

}  // namespace mcvol
