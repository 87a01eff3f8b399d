#include "mcvol/files/stand_in.h"

#include "mcvol/files/text.h"

#include <array>
#include <fstream>

namespace mcvol {
namespace {

/// What git-annex writes for an unlocked file whose content is elsewhere, and Git for a link where
/// the file system has none.
bool is_annex_pointer(std::string_view beginning) {
  if (!beginning.starts_with('/') && !beginning.starts_with('.')) return false;
  const std::string_view line = beginning.substr(0, beginning.find('\n'));
  return line.find("annex/objects/") != std::string_view::npos;
}

/// Of a server that asks to log in, or says that there is no such file.
bool is_web_page(std::string_view beginning) {
  if (beginning.starts_with("\xef\xbb\xbf")) beginning.remove_prefix(3);
  const std::size_t first = beginning.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return false;
  const std::string start = lower_case(beginning.substr(first, 16));
  return start.starts_with("<!doctype html") || start.starts_with("<html") ||
         start.starts_with("<head") || start.starts_with("<?xml");
}

}  // namespace

std::string stand_in_of(std::string_view beginning) {
  if (beginning.starts_with("version https://git-lfs.github.com/")) {
    return "a Git LFS pointer, not the file itself; fetch it (git lfs pull)";
  }
  if (is_annex_pointer(beginning)) {
    return "a git-annex pointer, not the file itself; fetch it (datalad get, git annex get)";
  }
  if (is_web_page(beginning)) {
    return "a web page (HTML or XML), not the file itself, often a log-in or an error; download it "
           "again";
  }
  return {};
}

std::string stand_in_of_file(const std::filesystem::path& path) {
  std::array<char, 1024> bytes{};
  std::ifstream file(path, std::ios::binary);
  file.read(bytes.data(), bytes.size());
  return stand_in_of({bytes.data(), static_cast<std::size_t>(file.gcount())});
}

}  // namespace mcvol
