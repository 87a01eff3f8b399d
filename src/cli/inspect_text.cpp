#include "mcvol/cli/inspect_facts.h"

#include <spdlog/fmt/fmt.h>

namespace mcvol {

namespace {

bool is_flat(const Facts& facts) {
  for (const auto& value : facts) {
    if (value.is_structured()) return false;
  }
  return true;
}

std::string scalar_text(const Facts& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_boolean()) return value.get<bool>() ? "yes" : "no";
  if (value.is_null()) return "none";
  // For reading; --json has every digit.
  if (value.is_number_float()) return fmt::format("{:.4g}", value.get<double>());
  return value.dump();
}

std::string joined(const Facts& values) {
  std::string text;
  for (const auto& [name, value] : values.items()) {
    if (!text.empty()) text += ", ";
    if (values.is_object()) text += name + " ";
    text += scalar_text(value);
  }
  return text.empty() ? "none" : text;
}

}  // namespace

std::string text_of(const Facts& facts, int indent) {
  const std::string margin(static_cast<std::size_t>(indent), ' ');
  std::string text;
  for (const auto& [name, value] : facts.items()) {
    std::string label = name;
    for (char& c : label) c = c == '_' ? ' ' : c;
    text += facts.is_array() ? margin + "- " : margin + label + ": ";
    if (!value.is_structured()) {
      text += scalar_text(value) + "\n";
    } else if (is_flat(value) && (value.is_array() || facts.is_array())) {
      text += joined(value) + "\n";
    } else {
      text += "\n" + text_of(value, indent + 2);
    }
  }
  return text;
}

}  // namespace mcvol
