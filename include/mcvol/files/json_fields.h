#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include <nlohmann/json.hpp>

namespace mcvol {

/// Reports a message as the error that fits the file; must throw.
using JsonFail = std::function<void(const std::string& message)>;

/// Parses a file's text. Calls `fail` with a message that begins with the name of the file, as in
/// "model.json, line 3, column 7: not valid JSON", or names a field given twice.
nlohmann::json parse_json(const std::string& text, const std::string& file, const JsonFail& fail);

/// Reads an object's fields strictly: a missing, mistyped or unknown field is an error that names
/// its path ("window.input[2]: expected an integer, found \"12\"").
class JsonFields {
 public:
  /// `path` prefixes the fields' names in messages; empty at the top.
  JsonFields(const nlohmann::json& object, std::string path, JsonFail fail);

  /// Whether an optional field is there.
  bool has(const std::string& key) const;
  /// The raw value; missing is an error.
  const nlohmann::json& at(const std::string& key);
  std::string text(const std::string& key);
  std::int64_t integer(const std::string& key);
  double number(const std::string& key);  ///< finite
  bool boolean(const std::string& key);
  JsonFields object(const std::string& key);
  const nlohmann::json& array(const std::string& key);
  /// Path of a field, for messages.
  std::string path_of(const std::string& key) const;
  /// Reports `message` about `key`.
  [[noreturn]] void fail(const std::string& key, const std::string& message) const;
  /// Call last: a field that none of the above asked for is an error that lists those they did.
  void finish() const;

 private:
  const nlohmann::json* object_;
  std::string path_;
  JsonFail fail_;
  mutable std::set<std::string> known_;  ///< every field asked for, there or not
};

}  // namespace mcvol
