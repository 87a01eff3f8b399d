#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace mcvol {

/// An option as it is declared. Each function returns the option itself, so that they chain.
class OptionDeclaration {
 public:
  explicit OptionDeclaration(CLI::Option& option) : option_(&option) {}

  /// What stands for its value in the help, such as FILE; a configuration file goes by it, too.
  OptionDeclaration& type_name(const std::string& name);
  /// It takes no other words.
  OptionDeclaration& one_of(const std::vector<std::string>& words);
  OptionDeclaration& required();
  /// The help shows the value that its variable has now.
  OptionDeclaration& show_default();
  /// Of a repeatable option: one value each time, so that what follows may be something else.
  OptionDeclaration& one_value_at_a_time();
  OptionDeclaration& description(const std::string& text);
  OptionDeclaration& excludes(const OptionDeclaration& other);

 private:
  CLI::Option* option_;
};

/// A command's name, help and options. Every use of CLI11 costs its unit five seconds of compiling:
/// the commands see it through this.
class CommandOptions {
 public:
  CommandOptions() = default;
  /// Adds the command to `program`. @param example end of its help.
  CommandOptions(CLI::App& program, const std::string& name, const std::string& description,
                 const std::string& example);

  /// Options added from here on stand under this heading of the help.
  void group(const std::string& heading) { group_ = heading; }
  /// Declares an option, positional without leading dashes; its value goes to `variable`, which
  /// lives as long as the command.
  OptionDeclaration add(const std::string& name, std::string& variable, const std::string& text);
  OptionDeclaration add(const std::string& name, std::filesystem::path& variable,
                        const std::string& text);
  OptionDeclaration add(const std::string& name, std::vector<std::string>& variable,
                        const std::string& text);
  OptionDeclaration add(const std::string& name, std::vector<std::filesystem::path>& variable,
                        const std::string& text);
  /// Declares an option without a value.
  OptionDeclaration add_flag(const std::string& name, bool& variable, const std::string& text);

  /// Whether the command line asked for this command.
  bool chosen() const;
  /// Whether the command line or the configuration file gave this option.
  bool given(const std::string& name) const;
  CLI::App& app() const { return *app_; }

 private:
  template <class Variable>
  OptionDeclaration add_variable(const std::string& name, Variable& variable,
                                 const std::string& text);
  OptionDeclaration grouped(CLI::Option& option) const;

  CLI::App* app_ = nullptr;
  std::string group_;
};

}  // namespace mcvol
