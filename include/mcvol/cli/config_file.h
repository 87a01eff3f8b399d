#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace mcvol {

/// One `key = value` of a configuration file.
struct ConfigEntry {
  enum class Kind { kString, kNumber, kBoolean };

  std::string key;
  std::vector<std::string> values;  ///< several for an array
  std::vector<Kind> kinds;          ///< of each value, by how it is written
  int line = 0;                     ///< 1-based
};

/// Reads the `key = value` lines of a TOML file, in their order: a value is a string, a number,
/// true, false or an array of these. Tables and dates, which no option takes, are refused.
/// @throws UsageError naming file, line, what was expected and what was found.
std::vector<ConfigEntry> parse_config(const std::string& text, const std::string& file_name);

/// Gives `command` the options of the file that the command line did not. Keys are the options'
/// long names; positional arguments go by theirs. Flags want true or false, options of type name N
/// a number, in quotes if need be, those of P, X or SIZE a number or a string, all others a string.
/// @throws UsageError for a file that cannot be read, an unknown key and a value of another type.
/// @throws CLI::Error for a value that does not fit its option.
void apply_config(const std::filesystem::path& file, CLI::App& command);

}  // namespace mcvol
