#pragma once

#include "mcvol/files/json_fields.h"

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

// Readers of the kinds of field model.json has. Each reports a wrong value through the fields.

namespace mcvol {

/// A JSON value as it stands in the file, shortened, for messages.
std::string shown_json(const nlohmann::json& value);

/// Reports the first field of `object` that is not one of `known`. Done before anything is read: a
/// misspelt field is better called unknown than its right spelling missing.
void allow_only(const JsonFields& fields, const nlohmann::json& object,
                std::initializer_list<std::string_view> known);

/// Name of an item of an array, for messages: `key[index]`.
std::string item_key(const std::string& key, std::size_t index);

/// A whole number from `low` to `high`.
std::int64_t whole_number(JsonFields& fields, const std::string& key, std::int64_t low,
                          std::int64_t high);
/// Reports that the array `key` has not exactly `count` items.
void require_count(JsonFields& fields, const std::string& key, std::size_t count);
/// Whole numbers from `low` to `high`.
std::vector<std::int64_t> whole_numbers(JsonFields& fields, const std::string& key,
                                        std::int64_t low, std::int64_t high);
/// Finite numbers.
std::vector<double> numbers(JsonFields& fields, const std::string& key, std::size_t count);
/// Two numbers, the first the smaller.
std::array<double, 2> ordered_pair(JsonFields& fields, const std::string& key);
/// Texts that are not empty.
std::vector<std::string> texts(JsonFields& fields, const std::string& key);

/// Whether `text` is a first character out of `first` and then any out of `rest`, at most 64.
bool is_made_of(const std::string& text, std::string_view first, std::string_view rest);
inline constexpr std::string_view kLower = "abcdefghijklmnopqrstuvwxyz";
inline constexpr std::string_view kLowerDigits = "abcdefghijklmnopqrstuvwxyz0123456789_";
inline constexpr std::string_view kAlphanumeric =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
inline constexpr std::string_view kFileWord =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

template <typename Value>
using Words = std::initializer_list<std::pair<std::string_view, Value>>;

/// The value of the word a text field holds.
template <typename Value>
Value word(JsonFields& fields, const std::string& key, Words<Value> words) {
  const std::string found = fields.text(key);
  std::string known;
  for (const auto& [name, value] : words) {
    if (found == name) return value;
    known += (known.empty() ? "\"" : ", \"") + std::string(name) + '"';
  }
  fields.fail(key, "expected " + known + "; found \"" + found + '"');
}

/// The same where the field may be missing.
template <typename Value>
Value word_or(JsonFields& fields, const std::string& key, Words<Value> words, Value otherwise) {
  return fields.has(key) ? word(fields, key, words) : otherwise;
}

}  // namespace mcvol
