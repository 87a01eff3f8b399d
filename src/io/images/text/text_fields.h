#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace mcvol {

/// The head of a NRRD or MetaImage file: lines of a key and a value. Whatever is asked of it and
/// not there, or not as expected, is an InputError, one line that starts with the file's name and
/// holds no more of the head than the field asked for.
class TextFields {
 public:
  /// @param name the file's, without its folder.
  explicit TextFields(std::string name) : name_(std::move(name)) {}

  /// @throws InputError for a key that is there already.
  void add(const std::string& key, const std::string& value);
  bool has(const std::string& key) const { return fields_.contains(key); }
  /// Empty where it is not there.
  std::string text(const std::string& key) const;

  /// The value is one of these words, the first where the key is not there.
  std::string word(const std::string& key, const std::vector<std::string>& allowed) const;
  /// As many numbers, all finite, with blanks between.
  std::vector<double> numbers(const std::string& key, std::size_t count) const;
  /// Voxels along three axes, 1 to 2^32 each.
  std::vector<std::int64_t> sizes(const std::string& key) const;
  /// The key is not there or has this value: another would move the voxels or change their meaning.
  void require_absent_or(const std::string& key, const std::string& harmless) const;

  [[noreturn]] void fail(const std::string& reason) const;
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  std::map<std::string, std::string> fields_;
};

/// Numbers of a text with blanks between; empty where anything else is in it.
std::vector<double> numbers_in(const std::string& text);

/// The beginning of a file, 1 MiB at most, for its head: nothing of the image's size is read.
/// @throws InputError where it cannot be read, is empty, or no regular file.
std::string beginning_of(const std::filesystem::path& path);

/// Takes the next line off `text` at `position`, without its end, as either system ends them.
/// @returns false where there is none left.
bool next_line(const std::string& text, std::size_t& position, std::string& line);

}  // namespace mcvol
