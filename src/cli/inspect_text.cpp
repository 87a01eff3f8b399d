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

bool is_bytes(const std::string& name, const Facts& value) {
  return value.is_number() && name.ends_with("_bytes");
}

/// For reading, as scalar_text(): in powers of 1024.
std::string bytes_text(const Facts& value) {
  auto number = value.get<double>();
  const char* unit = "bytes";
  for (const char* larger : {"KiB", "MiB", "GiB", "TiB"}) {
    if (number < 1024) break;
    number /= 1024;
    unit = larger;
  }
  return fmt::format("{:.4g} {}", number, unit);
}

std::string listed(const Facts& values) {
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
    const bool bytes = is_bytes(name, value);
    std::string label = bytes ? name.substr(0, name.rfind('_')) : name;
    for (char& c : label) c = c == '_' ? ' ' : c;
    text += facts.is_array() ? margin + "- " : margin + label + ": ";
    if (!value.is_structured()) {
      text += (bytes ? bytes_text(value) : scalar_text(value)) + "\n";
    } else if (is_flat(value) && (value.is_array() || facts.is_array())) {
      text += listed(value) + "\n";
    } else {
      text += '\n';
      text += text_of(value, indent + 2);
    }
  }
  return text;
}

}  // namespace mcvol
