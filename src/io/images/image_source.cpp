#include "mcvol/io/images/image_source.h"

#include <charconv>
#include <system_error>

namespace mcvol {

std::string ImageSource::name() const {
  const std::string name = file.filename().string();
  return index ? name + "[" + std::to_string(*index) + "]" : name;
}

ImageSource image_source_from(const std::filesystem::path& path) {
  const std::string text = path.string();
  const std::size_t bracket = text.rfind('[');
  std::error_code ignored;
  if (!text.ends_with(']') || bracket == std::string::npos || bracket == 0 ||
      std::filesystem::exists(path, ignored)) {
    return path;
  }
  std::int64_t index = 0;
  const char* const end = text.data() + text.size() - 1;
  const auto [read_to, error] = std::from_chars(text.data() + bracket + 1, end, index);
  if (error != std::errc() || read_to != end || index < 0) return path;
  return {std::filesystem::path(text.substr(0, bracket)), index};
}

}  // namespace mcvol
