#include "mcvol/cli/config_file.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text_file.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <utility>

namespace mcvol {

namespace {

constexpr const char* kBareKey = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

class ConfigParser {
 public:
  ConfigParser(const std::string& text, std::string file_name)
      : text_(text), file_name_(std::move(file_name)) {}

  std::vector<ConfigEntry> parse() {
    std::vector<ConfigEntry> entries;
    std::set<std::string> seen;
    for (skip_blank_lines(); !at_end(); skip_blank_lines()) {
      ConfigEntry entry = parse_entry();
      if (!seen.insert(entry.key).second) fail("\"" + entry.key + "\" given twice");
      entries.push_back(std::move(entry));
    }
    return entries;
  }

 private:
  ConfigEntry parse_entry() {
    ConfigEntry entry;
    entry.line = line_;
    if (peek() == '[') fail("tables are not used here; write the options as key = value");
    entry.key = parse_key();
    skip_spaces();
    if (peek() != '=') fail("expected \"=\" after \"" + entry.key + "\"");
    ++at_;
    skip_spaces();
    if (peek() == '[') {
      parse_array(entry);
    } else {
      parse_scalar(entry);
    }
    skip_spaces();
    skip_comment();
    if (!at_end() && peek() != '\n') fail("unexpected text after the value of " + entry.key);
    return entry;
  }

  std::string parse_key() {
    if (peek() == '"' || peek() == '\'') return parse_string();
    const std::size_t end = std::min(text_.find_first_not_of(kBareKey, at_), text_.size());
    if (end == at_) fail("expected an option's name");
    const std::string key = text_.substr(at_, end - at_);
    at_ = end;
    return key;
  }

  void parse_array(ConfigEntry& entry) {
    ++at_;
    while (true) {
      skip_blank_lines();
      if (peek() == ']') break;
      parse_scalar(entry);
      skip_blank_lines();
      if (peek() == ',') {
        ++at_;
      } else if (peek() != ']') {
        fail("expected \",\" or \"]\" in an array");
      }
    }
    ++at_;
  }

  void parse_scalar(ConfigEntry& entry) {
    const auto add = [&](std::string value, ConfigEntry::Kind kind) {
      entry.values.push_back(std::move(value));
      entry.kinds.push_back(kind);
    };
    if (peek() == '"' || peek() == '\'') return add(parse_string(), ConfigEntry::Kind::kString);
    const std::size_t end = std::min(text_.find_first_of(" \t\r\n,]#", at_), text_.size());
    std::string word = text_.substr(at_, end - at_);
    if (word == "true" || word == "false") {
      at_ = end;
      return add(std::move(word), ConfigEntry::Kind::kBoolean);
    }
    const bool number = word.find_first_not_of("0123456789+-._eE") == std::string::npos &&
                        word.find_first_of("0123456789") != std::string::npos;
    if (!number)
      fail("expected a string in quotes, a number, true or false, found \"" + word + "\"");
    at_ = end;
    std::erase(word, '_');  // TOML allows 1_000.
    add(std::move(word), ConfigEntry::Kind::kNumber);
  }

  std::string parse_string() {
    const char quote = text_[at_++];
    std::string value;
    while (peek() != quote) {
      if (at_end() || peek() == '\n') fail("a string that does not end on its line");
      if (quote == '"' && peek() == '\\') {
        ++at_;
        value += unescaped(peek());
      } else {
        value += peek();
      }
      ++at_;
    }
    ++at_;
    return value;
  }

  char unescaped(char c) {
    switch (c) {
      case '"':
      case '\\':
        return c;
      case 't':
        return '\t';
      default:
        fail("a backslash in a string; write \\\\ or use single quotes");
    }
  }

  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  void skip_spaces() {
    while (peek() == ' ' || peek() == '\t' || peek() == '\r') ++at_;
  }
  void skip_comment() {
    if (peek() != '#') return;
    at_ = std::min(text_.find('\n', at_), text_.size());
  }
  void skip_blank_lines() {
    while (true) {
      skip_spaces();
      skip_comment();
      if (peek() != '\n') return;
      ++at_;
      ++line_;
    }
  }
  [[noreturn]] void fail(const std::string& message) const {
    throw UsageError(file_name_ + ", line " + std::to_string(line_) + ": " + message);
  }

  const std::string& text_;
  std::string file_name_;
  std::size_t at_ = 0;
  int line_ = 1;
};

/// What `option` wants, empty where a value of this kind will do.
std::string wanted_instead(const CLI::Option& option, ConfigEntry::Kind kind) {
  using Kind = ConfigEntry::Kind;
  const std::string type_and_checks = option.get_type_name();
  const std::string type = type_and_checks.substr(0, type_and_checks.find(':'));
  if (option.get_expected_min() == 0) return kind == Kind::kBoolean ? "" : "true or false";
  if (type == "N") return kind == Kind::kNumber ? "" : "a number, without quotes";
  if (type == "N|auto") return kind != Kind::kBoolean ? "" : "a number or \"auto\"";
  if (type == "P" || type == "X") return kind != Kind::kBoolean ? "" : "a number";
  if (type == "SIZE") return kind != Kind::kBoolean ? "" : "a size such as \"4G\"";
  return kind == Kind::kString ? "" : "a string in quotes";
}

void require_wanted_kinds(const CLI::Option& option, const ConfigEntry& entry,
                          const std::string& file) {
  for (std::size_t n = 0; n < entry.values.size(); ++n) {
    const std::string wanted = wanted_instead(option, entry.kinds[n]);
    if (wanted.empty()) continue;
    const std::string quote = entry.kinds[n] == ConfigEntry::Kind::kString ? "\"" : "";
    throw UsageError(file + ", line " + std::to_string(entry.line) + ": " + entry.key +
                     ": expected " + wanted + ", found " + quote + entry.values[n] + quote);
  }
}

}  // namespace

std::vector<ConfigEntry> parse_config(const std::string& text, const std::string& file_name) {
  return ConfigParser(text, file_name).parse();
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
      throw UsageError(file.string() + ", line " + std::to_string(entry.line) +
                       ": no option is called \"" + entry.key + "\"; see mcvol " +
                       command.get_name() + " --help");
    }
    require_wanted_kinds(*option, entry, file.string());
    if (option->count() > 0) continue;  // The command line wins.
    for (const std::string& value : entry.values) option->add_result(value);
    option->run_callback();
  }
}

}  // namespace mcvol
