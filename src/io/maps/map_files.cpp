#include "mcvol/io/maps/map_files.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"

#include <algorithm>
#include <system_error>

namespace mcvol {

namespace fs = std::filesystem;

std::vector<fs::path> files_of(const MapNames& names, const MapEntry& image) {
  std::vector<fs::path> files;
  for (const Sidecar& sidecar : names.sidecars(image, {})) {
    files.push_back(names.folder() / sidecar.file);
  }
  files.push_back(names.folder() / image.file);
  return files;
}

void remove_image(const MapNames& names, const MapEntry& image) {
  std::vector<fs::path> files = files_of(names, image);
  std::reverse(files.begin(), files.end());
  for (const fs::path& path : files) {
    remove_file(path, "remove the image of an earlier measurement");
  }
}

void require_own_files(const MapNames& names, const std::vector<MapEntry>& wanted,
                       const std::vector<MapEntry>& replaced) {
  for (const MapEntry& image : wanted) {
    const bool is_own = std::any_of(replaced.begin(), replaced.end(),
                                    [&](const MapEntry& one) { return one.file == image.file; });
    for (const fs::path& file : files_of(names, image)) {
      std::error_code error;
      if (is_own || !fs::exists(fs::symlink_status(file, error))) continue;
      throw Error(file.string() + ": not of an image that " + names.list_name() +
                  " names; move or remove it");
    }
  }
}

bool all_there(const MapNames& names, const std::vector<MapEntry>& images) {
  return std::all_of(images.begin(), images.end(), [&](const MapEntry& image) {
    const std::vector<fs::path> files = files_of(names, image);
    return std::all_of(files.begin(), files.end(), [](const fs::path& path) {
      std::error_code error;
      return fs::is_regular_file(path, error);
    });
  });
}

bool has_images(const MapNames& names, const MapList& list, const std::string& kind) {
  return list.has(kind) && all_there(names, list.of_kind(kind));
}

const fs::path& require_file(const fs::path& path, const MapNames& names) {
  std::error_code error;
  if (fs::is_regular_file(path, error)) return path;
  throw InputError(path.string() + ": missing, or no file; " + names.list_name() + " names it");
}

}  // namespace mcvol
