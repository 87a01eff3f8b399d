#include "text_fields.h"

#include "mcvol/files/text.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <sstream>

#include "io/images/refusal.h"

namespace mcvol {

void TextFields::add(const std::string& key, const std::string& value) {
  if (!fields_.emplace(key, value).second) fail("damaged header: \"" + key + "\" is given twice");
}

std::string TextFields::text(const std::string& key) const {
  const auto found = fields_.find(key);
  return found == fields_.end() ? "" : found->second;
}

std::string TextFields::word(const std::string& key,
                             const std::vector<std::string>& allowed) const {
  if (!has(key)) return allowed.front();
  const std::string value = text(key);
  if (std::find(allowed.begin(), allowed.end(), value) != allowed.end()) return value;
  fail(key + " is \"" + value.substr(0, 40) + "\", expected " + joined(allowed, " or ") +
       "; save it once more, for example with 3D Slicer");
}

std::vector<double> TextFields::numbers(const std::string& key, std::size_t count) const {
  if (!has(key))
    fail("no " + key + " in its header, expected " + std::to_string(count) + " numbers");
  std::vector<double> found = numbers_in(text(key));
  const bool finite =
      std::all_of(found.begin(), found.end(), [](double n) { return std::isfinite(n); });
  if (found.size() != count || !finite) {
    fail(key + " is \"" + text(key).substr(0, 60) + "\", expected " + std::to_string(count) +
         " numbers; repair the header");
  }
  return found;
}

std::vector<std::int64_t> TextFields::sizes(const std::string& key) const {
  std::vector<std::int64_t> found;
  for (const double number : numbers(key, 3)) {
    if (number < 1 || number > 4294967296.0 || number != std::floor(number)) {
      fail(key + " is \"" + text(key).substr(0, 60) + "\", expected 3 sizes of 1 to 2^32 voxels");
    }
    found.push_back(static_cast<std::int64_t>(number));
  }
  return found;
}

void TextFields::require_absent_or(const std::string& key, const std::string& harmless) const {
  word(key, {harmless});
}

void TextFields::fail(const std::string& reason) const { refuse(name_, reason); }

std::vector<double> numbers_in(const std::string& text) {
  std::vector<double> numbers;
  std::istringstream stream(text);
  for (std::string word; stream >> word;) {
    double number = 0;
    const char* begin = word.data() + (word.starts_with('+') ? 1 : 0);
    const auto read = std::from_chars(begin, word.data() + word.size(), number);
    if (read.ec != std::errc() || read.ptr != word.data() + word.size()) return {};
    numbers.push_back(number);
  }
  return numbers;
}

std::string beginning_of(const std::filesystem::path& path) {
  constexpr std::size_t kMost = std::size_t{1} << 20U;
  const std::string name = path.filename().string();
  require_own_content(path, "an image");
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(name, "cannot be opened");
  std::string text(kMost, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (file.bad()) refuse(name, "cannot be read");
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (text.empty()) refuse(name, "an empty file, expected an image");
  return text;
}

bool next_line(const std::string& text, std::size_t& position, std::string& line) {
  const std::size_t end = text.find('\n', position);
  if (end == std::string::npos) return false;
  line = text.substr(position, end - position);
  if (line.ends_with('\r')) line.pop_back();
  position = end + 1;
  return true;
}

}  // namespace mcvol
