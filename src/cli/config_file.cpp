#include "mcvol/cli/config_file.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text.h"
#include "mcvol/files/text_file.h"

#include <algorithm>
#include <charconv>
#include <sstream>
#include <utility>

#include <CLI/CLI.hpp>
#include <toml++/toml.h>

namespace mcvol {

namespace {

[[noreturn]] void fail(const std::string& file, const toml::source_region& where,
                       const std::string& message) {
  throw UsageError(line_of_file(file, static_cast<int>(where.begin.line)) + ": " + message);
}

/// A number as it is written, less the underscores that TOML allows: of a level the decimals count.
/// @param lines of the file. @param value as TOML reads it.
std::string number_text(const std::vector<std::string>& lines, const toml::source_region& where,
                        double value) {
  const std::string& line = lines.at(where.begin.line - 1);
  const std::size_t begin = std::min<std::size_t>(where.begin.column - 1, line.size());
  std::string text = line.substr(begin, line.find_first_of(" \t\r,]#", begin) - begin);
  std::erase(text, '_');
  if (text.starts_with('+')) text.erase(0, 1);
  double read = 0.0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), read);
  const bool same = parsed.ec == std::errc() && parsed.ptr == text.data() + text.size();
  // Columns count characters, not bytes: behind others than ASCII's the place is another.
  return same && read == value ? text : shortest_text(value);
}

void add_value(const std::string& file, const std::vector<std::string>& lines,
               const toml::node& node, ConfigEntry& entry) {
  const auto add = [&](std::string value, ConfigEntry::Kind kind) {
    entry.values.push_back(std::move(value));
    entry.kinds.push_back(kind);
  };
  if (const auto* text = node.as_string()) return add(text->get(), ConfigEntry::Kind::kString);
  if (const auto* truth = node.as_boolean()) {
    return add(truth->get() ? "true" : "false", ConfigEntry::Kind::kBoolean);
  }
  if (const auto* number = node.as_integer()) {
    return add(std::to_string(number->get()), ConfigEntry::Kind::kNumber);
  }
  if (const auto* number = node.as_floating_point(); number != nullptr) {
    return add(number_text(lines, node.source(), number->get()), ConfigEntry::Kind::kNumber);
  }
  fail(file, node.source(),
       entry.key + ": expected a string in quotes, a number, true, false or an array of these");
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(std::move(line));
  return lines;
}

/// TOML's own whole numbers end at 2^63 - 1, where seeds do not.
bool is_quoted_number(const std::string& value) {
  return !value.empty() && value.find_first_not_of("0123456789") == std::string::npos;
}

/// What `option` wants, empty where a value of this kind will do.
std::string wanted_instead(const CLI::Option& option, ConfigEntry::Kind kind,
                           const std::string& value) {
  using Kind = ConfigEntry::Kind;
  const std::string type_and_checks = option.get_type_name();
  const std::string type = type_and_checks.substr(0, type_and_checks.find(':'));
  if (option.get_expected_min() == 0) return kind == Kind::kBoolean ? "" : "true or false";
  if (type == "N") {
    const bool fits = kind == Kind::kNumber || (kind == Kind::kString && is_quoted_number(value));
    return fits ? "" : "a number";
  }
  if (type == "N|auto") return kind != Kind::kBoolean ? "" : "a number or \"auto\"";
  if (type == "P" || type == "X") return kind != Kind::kBoolean ? "" : "a number";
  if (type == "SIZE") return kind != Kind::kBoolean ? "" : "a size such as \"4G\"";
  return kind == Kind::kString ? "" : "a string in quotes";
}

void require_wanted_kinds(const CLI::Option& option, const ConfigEntry& entry,
                          const std::string& file) {
  for (std::size_t n = 0; n < entry.values.size(); ++n) {
    const std::string wanted = wanted_instead(option, entry.kinds[n], entry.values[n]);
    if (wanted.empty()) continue;
    const std::string quote = entry.kinds[n] == ConfigEntry::Kind::kString ? "\"" : "";
    throw UsageError(line_of_file(file, entry.line) + ": " + entry.key + ": expected " + wanted +
                     ", found " + quote + entry.values[n] + quote);
  }
}

}  // namespace

std::vector<ConfigEntry> parse_config(const std::string& text, const std::string& file_name) {
  toml::table table;
  try {
    table = toml::parse(std::string_view(text), std::string_view(file_name));
  } catch (const toml::parse_error& error) {
    fail(file_name, error.source(),
         std::string(error.description()) +
             "; values are strings in quotes, numbers, true, false and arrays of these");
  }
  const std::vector<std::string> lines = lines_of(text);
  std::vector<ConfigEntry> entries;
  for (const auto& [key, node] : table) {
    ConfigEntry entry;
    entry.key = key.str();
    entry.line = static_cast<int>(key.source().begin.line);
    if (node.is_table() || node.is_array_of_tables()) {
      fail(file_name, node.source(), "tables are not used here; write the options as key = value");
    }
    if (const toml::array* array = node.as_array()) {
      for (const toml::node& element : *array) add_value(file_name, lines, element, entry);
    } else {
      add_value(file_name, lines, node, entry);
    }
    entries.push_back(std::move(entry));
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.line < b.line; });
  return entries;
}

void apply_config(const std::filesystem::path& file, CLI::App& command) {
  std::string text;
  try {
    text = read_file(file);
  } catch (const Error& error) {
    throw UsageError("--config: " + std::string(error.what()));
  }
  for (const ConfigEntry& entry : parse_config(text, file.string())) {
    const bool may_be_set = entry.key != "config" && entry.key != "help";
    CLI::Option* option = nullptr;
    if (may_be_set) option = command.get_option_no_throw("--" + entry.key);
    if (may_be_set && option == nullptr) option = command.get_option_no_throw(entry.key);
    if (option == nullptr) {
      throw UsageError(line_of_file(file.string(), entry.line) + ": no option is called \"" +
                       entry.key + "\"; see mcvol " + command.get_name() + " --help");
    }
    require_wanted_kinds(*option, entry, file.string());
    if (option->count() > 0) continue;  // The command line wins.
    for (const std::string& value : entry.values) option->add_result(value);
    option->run_callback();
  }
}

}  // namespace mcvol
