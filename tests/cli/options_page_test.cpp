// docs/commands.md: its tables are what the program says of its commands and options.

#include "mcvol/cli/command_help.h"
#include "mcvol/files/text_file.h"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace mcvol {
namespace {

constexpr const char* kPage = MCVOL_SOURCE_DIR "/docs/commands.md";
const std::string kMadeBy = ": made by tests/cli/options_page_test.cpp -->\n";
const std::string kEnd = "<!-- end -->\n";

/// As a cell of a table, where a bar would begin the next one.
std::string cell(const std::string& text) {
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? "\\|" : std::string(1, c);
  return escaped;
}

std::string code(const std::string& text) { return text.empty() ? "" : "`" + cell(text) + "`"; }

/// The text of an option in two: what it is for, and a default that only words can say.
struct Explanation {
  std::string text;
  std::string default_words;
};

Explanation explanation_of(const std::string& text) {
  const std::string begin = " (default: ";
  const std::size_t at = text.rfind(begin);
  if (at == std::string::npos || !text.ends_with(')')) return {text, ""};
  const std::size_t from = at + begin.size();
  return {text.substr(0, at), text.substr(from, text.size() - 1 - from)};
}

std::string row_of(const OptionHelp& option) {
  const std::string named = option.name + (option.value.empty() ? "" : " " + option.value) +
                            (option.takes_several ? "..." : "");
  const Explanation explanation = explanation_of(option.text);
  std::string default_cell = code(option.default_value);
  if (default_cell.empty()) default_cell = cell(explanation.default_words);
  if (option.required) default_cell = "required";
  return "| " + code(named) + " | " + default_cell + " | " + cell(explanation.text) + " |\n";
}

std::string table_of(const CommandHelp& command) {
  std::string table = "| Option | Default | |\n|---|---|---|\n";
  std::string group;
  for (const OptionHelp& option : command.options) {
    if (option.group != group) table += "| **" + option.group + "** | | |\n";
    group = option.group;
    table += row_of(option);
  }
  return table;
}

std::string table_of_commands(const std::vector<CommandHelp>& commands) {
  std::string table = "| Command | |\n|---|---|\n";
  for (const CommandHelp& command : commands) {
    table += "| [`mcvol " + command.name + "`](#mcvol-" + command.name + ") | " +
             cell(command.text) + " |\n";
  }
  return table;
}

/// Where a table stands in the page.
struct Place {
  std::size_t begin = std::string::npos;
  std::size_t end = std::string::npos;

  bool found() const { return begin != std::string::npos && end != std::string::npos; }
};

Place place_of(const std::string& page, const std::string& what) {
  const std::string marker = "<!-- " + what + kMadeBy;
  Place place;
  const std::size_t at = page.find(marker);
  if (at == std::string::npos) return place;
  place.begin = at + marker.size();
  place.end = page.find(kEnd, place.begin);
  return place;
}

/// The page says what this program does, no more. With MCVOL_UPDATE_DOCS set it is rewritten.
void expect_table(std::string& page, const std::string& what, const std::string& table) {
  const Place place = place_of(page, what);
  ASSERT_TRUE(place.found()) << "docs/commands.md: no lines \"<!-- " << what
                             << kMadeBy.substr(0, kMadeBy.size() - 1) << "\" and \"<!-- end -->\"";
  if (std::getenv("MCVOL_UPDATE_DOCS") != nullptr) {
    page.replace(place.begin, place.end - place.begin, table);
    return;
  }
  EXPECT_EQ(page.substr(place.begin, place.end - place.begin), table)
      << "run cli_test with MCVOL_UPDATE_DOCS=1 --gtest_filter=CommandsPage.*";
}

std::size_t count_of(const std::string& part, const std::string& text) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST(CommandsPage, SaysOfEveryCommandWhatTheProgramSays) {
  const std::vector<CommandHelp> commands = help_of_commands();
  const std::string before = read_file(kPage);
  std::string page = before;
  expect_table(page, "commands", table_of_commands(commands));
  for (const CommandHelp& command : commands) {
    expect_table(page, "options of " + command.name, table_of(command));
    EXPECT_EQ(count_of("\n## mcvol " + command.name + "\n", page), 1u) << command.name;
  }
  EXPECT_EQ(count_of("<!-- options of ", page), commands.size()) << "of a command there is not";
  if (page != before) write_file_atomically(kPage, page);
}

TEST(CommandHelp, HasAPlaceholderTheWordsToChooseFromAndTheDefault) {
  const std::vector<CommandHelp> commands = help_of_commands();
  const auto option_of = [&](const std::string& command, const std::string& name) {
    for (const CommandHelp& one : commands) {
      const auto found =
          std::find_if(one.options.begin(), one.options.end(),
                       [&](const OptionHelp& option) { return option.name == name; });
      if (one.name == command && found != one.options.end()) return *found;
    }
    ADD_FAILURE() << command << " has no " << name;
    return OptionHelp();
  };
  EXPECT_EQ(option_of("predict", "--scope").value, "native|channel|element");
  EXPECT_EQ(option_of("predict", "--memory").value, "SIZE");
  EXPECT_EQ(option_of("predict", "--memory").default_value, "4G");
  EXPECT_EQ(option_of("predict", "--level").default_value, "0.9");
  EXPECT_EQ(option_of("predict", "--fresh").value, "");
  EXPECT_EQ(option_of("predict", "--fresh").group, "Output");
  EXPECT_TRUE(option_of("predict", "SCANS").takes_several);
  EXPECT_TRUE(option_of("evaluate", "--references").required);
  EXPECT_FALSE(option_of("evaluate", "RESULTS").takes_several);
}

}  // namespace
}  // namespace mcvol
