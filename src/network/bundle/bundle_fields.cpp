#include "bundle_fields.h"

#include <algorithm>
#include <cmath>

namespace mcvol {
namespace {

using nlohmann::json;

bool is_whole_number(const json& value, std::int64_t low, std::int64_t high) {
  if (!value.is_number_integer()) return false;
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(high)) {
    return false;
  }
  return value.get<std::int64_t>() >= low && value.get<std::int64_t>() <= high;
}

std::string expected_whole_number(std::int64_t low, std::int64_t high, const json& found) {
  return "expected a whole number from " + std::to_string(low) + " to " + std::to_string(high) +
         ", found " + shown_json(found);
}

}  // namespace

std::string shown_json(const json& value) {
  constexpr std::size_t kMaxLength = 60;
  std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > kMaxLength) text = text.substr(0, kMaxLength) + "...";
  return text;
}

void allow_only(const JsonFields& fields, const json& object,
                std::initializer_list<std::string_view> known) {
  for (const auto& item : object.items()) {
    if (std::find(known.begin(), known.end(), item.key()) != known.end()) continue;
    std::string list;
    for (const std::string_view name : known)
      list += (list.empty() ? "" : ", ") + std::string(name);
    fields.fail(item.key(), "unknown field; known here: " + list);
  }
}

std::string item_key(const std::string& key, std::size_t index) {
  return key + '[' + std::to_string(index) + ']';
}

std::int64_t whole_number(JsonFields& fields, const std::string& key, std::int64_t low,
                          std::int64_t high) {
  const json& value = fields.at(key);
  if (!is_whole_number(value, low, high)) {
    fields.fail(key, expected_whole_number(low, high, value));
  }
  return value.get<std::int64_t>();
}

void require_count(JsonFields& fields, const std::string& key, std::size_t count) {
  const json& array = fields.array(key);
  if (array.size() != count) {
    fields.fail(key, "expected " + std::to_string(count) + " values, found " + shown_json(array));
  }
}

std::vector<std::int64_t> whole_numbers(JsonFields& fields, const std::string& key,
                                        std::int64_t low, std::int64_t high) {
  std::vector<std::int64_t> values;
  for (const json& item : fields.array(key)) {
    if (!is_whole_number(item, low, high)) {
      fields.fail(item_key(key, values.size()), expected_whole_number(low, high, item));
    }
    values.push_back(item.get<std::int64_t>());
  }
  return values;
}

std::vector<double> numbers(JsonFields& fields, const std::string& key, std::size_t count) {
  require_count(fields, key, count);
  std::vector<double> values;
  for (const json& item : fields.array(key)) {
    if (!item.is_number() || !std::isfinite(item.get<double>())) {
      fields.fail(item_key(key, values.size()), "expected a number, found " + shown_json(item));
    }
    values.push_back(item.get<double>());
  }
  return values;
}

std::array<double, 2> ordered_pair(JsonFields& fields, const std::string& key) {
  const std::vector<double> pair = numbers(fields, key, 2);
  if (!(pair[0] < pair[1])) {
    fields.fail(key, "expected [low, high] with low < high, found " + shown_json(fields.at(key)));
  }
  return {pair[0], pair[1]};
}

std::vector<std::string> texts(JsonFields& fields, const std::string& key) {
  std::vector<std::string> values;
  for (const json& item : fields.array(key)) {
    if (!item.is_string() || item.get_ref<const std::string&>().empty()) {
      fields.fail(item_key(key, values.size()),
                  "expected a text that is not empty, found " + shown_json(item));
    }
    values.push_back(item.get<std::string>());
  }
  return values;
}

bool is_made_of(const std::string& text, std::string_view first, std::string_view rest) {
  constexpr std::size_t kMaxLength = 64;
  return !text.empty() && text.size() <= kMaxLength && first.find(text[0]) != first.npos &&
         text.find_first_not_of(rest) == std::string::npos;
}

}  // namespace mcvol
