#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "map_list.h"

namespace mcvol {

/// @throws Error where it is there and stays.
void remove_image(const std::filesystem::path& path);

/// Whether these are files of `maps`, a case's folder.
bool all_there(const std::filesystem::path& maps, const std::vector<std::string>& names);

/// Whether a list has images of a kind, and they are there.
bool has_images(const std::filesystem::path& maps, const MapList& list, const std::string& kind);

/// @throws InputError for anything but a file: opening a pipe would wait for its other end.
const std::filesystem::path& require_image_file(const std::filesystem::path& path);

}  // namespace mcvol
