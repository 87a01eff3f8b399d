#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace mcvol {

/// One `key = value` of a configuration file.
struct ConfigEntry {
  std::string key;
  std::vector<std::string> values;  ///< several for an array
  int line = 0;                     ///< 1-based
};

/// Reads the part of TOML that options need: `key = value` lines, where a value is a string, a
/// number, true, false or an array of these; comments. Tables, dates and multi-line strings are
/// refused.
/// @throws UsageError naming file, line, what was expected and what was found.
std::vector<ConfigEntry> parse_config(const std::string& text, const std::string& file_name);

/// Gives `command` the options of the file that the command line did not. Keys are the options'
/// long names; positional arguments go by theirs.
/// @throws UsageError for a file that cannot be read and for an unknown key.
/// @throws CLI::Error for a value that does not fit its option.
void apply_config(const std::filesystem::path& file, CLI::App& command);

}  // namespace mcvol
