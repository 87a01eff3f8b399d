#include "map_files.h"

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
