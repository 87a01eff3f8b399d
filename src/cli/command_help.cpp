#include "mcvol/cli/command_help.h"

#include "mcvol/cli/command.h"

#include <algorithm>
#include <memory>

#include <CLI/CLI.hpp>

namespace mcvol {

namespace {

/// Without the brackets around it, of which CLI11 puts some around a list.
std::string unbracketed(const std::string& text, char open, char close) {
  const bool bracketed = text.size() >= 2 && text.front() == open && text.back() == close;
  return bracketed ? text.substr(1, text.size() - 2) : text;
}

/// CLI11 says "PLACEHOLDER", or "PLACEHOLDER:{a,b}" where there are words to choose from.
std::string value_of(const CLI::Option& option) {
  if (option.get_expected_min() == 0) return "";
  const std::string type = option.get_type_name();
  const std::size_t colon = type.find(":{");
  if (colon == std::string::npos) return type;
  std::string words = unbracketed(type.substr(colon + 1), '{', '}');
  std::replace(words.begin(), words.end(), ',', '|');
  return words;
}

OptionHelp help_of(const CLI::Option& option) {
  OptionHelp help;
  help.value = value_of(option);
  help.name = option.get_name();
  if (option.get_positional()) {
    help.name.swap(help.value);
    help.value.clear();
    help.takes_several = option.get_expected_max() > 1;
  }
  help.default_value = unbracketed(option.get_default_str(), '[', ']');
  if (option.get_group() != "Options") help.group = option.get_group();
  help.text = option.get_description();
  help.required = option.get_required();
  return help;
}

}  // namespace

std::vector<CommandHelp> help_of_commands() {
  CLI::App program("", "mcvol");
  const std::vector<std::unique_ptr<Command>> commands = all_commands();
  for (const auto& command : commands) command->setup(program);
  const CLI::App& declared = program;  // whose list of commands is of const ones
  std::vector<CommandHelp> helps;
  for (const CLI::App* command : declared.get_subcommands([](const CLI::App*) { return true; })) {
    CommandHelp help{command->get_name(), command->get_description(), {}};
    for (const CLI::Option* option : command->get_options()) {
      if (option != command->get_help_ptr()) help.options.push_back(help_of(*option));
    }
    helps.push_back(std::move(help));
  }
  return helps;
}

}  // namespace mcvol
