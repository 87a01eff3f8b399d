#include "map_files.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"

#include <algorithm>
#include <system_error>

namespace mcvol {

void remove_image(const std::filesystem::path& path) {
  remove_file(path, "remove the image of an earlier measurement");
}

bool all_there(const std::filesystem::path& maps, const std::vector<std::string>& names) {
  return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
    std::error_code error;
    return std::filesystem::is_regular_file(maps / name, error);
  });
}

bool has_images(const std::filesystem::path& maps, const MapList& list, const std::string& kind) {
  return list.has(kind) && all_there(maps, list.files(kind));
}

const std::filesystem::path& require_image_file(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::is_regular_file(path, error)) return path;
  throw InputError(path.string() + ": missing, or no file; maps.json names it");
}

}  // namespace mcvol
