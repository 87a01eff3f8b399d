#include "mcvol/cli/command_options.h"

#include <CLI/CLI.hpp>

namespace mcvol {

OptionDeclaration& OptionDeclaration::type_name(const std::string& name) {
  option_->type_name(name);
  return *this;
}

OptionDeclaration& OptionDeclaration::one_of(const std::vector<std::string>& words) {
  option_->check(CLI::IsMember(words));
  return *this;
}

OptionDeclaration& OptionDeclaration::required() {
  option_->required();
  return *this;
}

OptionDeclaration& OptionDeclaration::show_default() {
  option_->capture_default_str();
  return *this;
}

OptionDeclaration& OptionDeclaration::one_value_at_a_time() {
  option_->allow_extra_args(false);
  return *this;
}

OptionDeclaration& OptionDeclaration::description(const std::string& text) {
  option_->description(text);
  return *this;
}

OptionDeclaration& OptionDeclaration::excludes(const OptionDeclaration& other) {
  option_->excludes(other.option_);
  return *this;
}

CommandOptions::CommandOptions(CLI::App& program, const std::string& name,
                               const std::string& description, const std::string& example)
    : app_(program.add_subcommand(name, description)) {
  app_->footer(example);
}

OptionDeclaration CommandOptions::grouped(CLI::Option& option) const {
  if (!group_.empty()) option.group(group_);
  return OptionDeclaration(option);
}

template <class Variable>
OptionDeclaration CommandOptions::add_variable(const std::string& name, Variable& variable,
                                               const std::string& text) {
  return grouped(*app_->add_option(name, variable, text));
}

OptionDeclaration CommandOptions::add(const std::string& name, std::string& variable,
                                      const std::string& text) {
  return add_variable(name, variable, text);
}

OptionDeclaration CommandOptions::add(const std::string& name, std::filesystem::path& variable,
                                      const std::string& text) {
  return add_variable(name, variable, text);
}

OptionDeclaration CommandOptions::add(const std::string& name, std::vector<std::string>& variable,
                                      const std::string& text) {
  return add_variable(name, variable, text);
}

OptionDeclaration CommandOptions::add(const std::string& name,
                                      std::vector<std::filesystem::path>& variable,
                                      const std::string& text) {
  return add_variable(name, variable, text);
}

OptionDeclaration CommandOptions::add_flag(const std::string& name, bool& variable,
                                           const std::string& text) {
  return grouped(*app_->add_flag(name, variable, text));
}

bool CommandOptions::chosen() const { return app_ != nullptr && app_->parsed(); }

bool CommandOptions::given(const std::string& name) const { return app_->count(name) > 0; }

}  // namespace mcvol
