#include "mcvol/analysis/run_identity.h"

#include "mcvol/error/error.h"
#include "mcvol/files/sha256.h"

#include <array>
#include <cmath>

namespace mcvol {

namespace {

using nlohmann::json;

/// What a user would look at first comes first; the model, which names more than the user chose,
/// last.
constexpr std::array<const char*, 9> kFieldOrder = {"networks", "scope",        "seed",
                                                    "passes",   "mc_tolerance", "precision",
                                                    "numerics", "window",       "model"};
constexpr double kLargestExact = 9007199254740992.0;  // 2^53

/// 3.0 becomes 3: a model.json says the same with either.
void write_numbers_in_one_way(json& value) {
  if (value.is_structured()) {
    for (json& item : value) write_numbers_in_one_way(item);
  } else if (value.is_number_float()) {
    const auto number = value.get<double>();
    if (std::trunc(number) == number && std::abs(number) <= kLargestExact) {
      value = static_cast<std::int64_t>(number);
    }
  }
}

std::string text_of(const json* value) {
  constexpr std::size_t kLongest = 120;  // A message is one line.
  if (value == nullptr) return "nothing";
  const std::string text = value->dump(-1, ' ', false, json::error_handler_t::replace);
  return text.size() <= kLongest ? text : text.substr(0, kLongest) + "…";
}

/// Where two values differ only further on than a line can show.
std::string told_apart(const json& value) {
  if (value.is_array()) return std::to_string(value.size()) + " items";
  return "the SHA-256 " +
         sha256_of_bytes(value.dump(-1, ' ', false, json::error_handler_t::replace)).substr(0, 8);
}

const json* find(const json& object, const std::string& key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

std::optional<IdentityDifference> compare(const std::string& path, const json* first,
                                          const json* second);

std::optional<IdentityDifference> compare_key(const std::string& path, const std::string& key,
                                              const json& first, const json& second) {
  const std::string field = path.empty() ? key : path + "." + key;
  return compare(field, find(first, key), find(second, key));
}

std::optional<IdentityDifference> compare_objects(const std::string& path, const json& first,
                                                  const json& second) {
  for (const json* keys : {&first, &second}) {
    for (const auto& item : keys->items()) {
      if (auto found = compare_key(path, item.key(), first, second)) return found;
    }
  }
  return std::nullopt;
}

std::optional<IdentityDifference> compare(const std::string& path, const json* first,
                                          const json* second) {
  if (first != nullptr && second != nullptr) {
    if (*first == *second) return std::nullopt;
    if (first->is_object() && second->is_object()) return compare_objects(path, *first, *second);
    if (first->is_array() && second->is_array() && first->size() == second->size()) {
      for (std::size_t n = 0; n < first->size(); ++n) {
        const std::string item = path + "[" + std::to_string(n) + "]";
        if (auto found = compare(item, &(*first)[n], &(*second)[n])) return found;
      }
    }
  }
  IdentityDifference found{path, text_of(first), text_of(second)};
  if (found.first == found.second) {  // They differ beyond the end of what is shown.
    found.first = told_apart(*first);
    found.second = told_apart(*second);
  }
  return found;
}

/// Identities of before there was such a number have the first.
json with_numerics(json identity) {
  if (!identity.contains("numerics")) identity["numerics"] = 1;
  return identity;
}

}  // namespace

json run_identity_of(const Bundle& bundle, const IdentityOptions& options) {
  json networks = json::array();
  for (const Bundle::Network& network : bundle.networks) networks.push_back(network.sha256);
  json identity = {{"networks", std::move(networks)},
                   {"scope", to_string(options.scope)},
                   {"seed", options.seed},
                   {"passes", options.passes},
                   {"precision", options.precision},
                   {"window", {{"input", bundle.window.input}, {"output", bundle.window.output}}},
                   {"model", bundle.identity()}};
  if (options.mc_tolerance) {
    identity["passes"] = "auto";
    identity["mc_tolerance"] = *options.mc_tolerance;
  }
  if (options.numerics != 1) identity["numerics"] = options.numerics;
  if (bundle.window.flexible) identity["window"]["memory_bytes"] = options.memory_bytes;
  write_numbers_in_one_way(identity);
  return identity;
}

std::string sha256_of_identity(const json& identity) {
  return sha256_of_bytes(identity.dump(-1, ' ', false, json::error_handler_t::replace));
}

std::optional<IdentityDifference> difference(const json& first, const json& second) {
  if (first == second) return std::nullopt;
  if (!first.is_object() || !second.is_object()) {
    return IdentityDifference{"identity", text_of(&first), text_of(&second)};
  }
  if (first.contains("numerics") != second.contains("numerics")) {
    return difference(with_numerics(first), with_numerics(second));
  }
  for (const char* key : kFieldOrder) {
    if (!first.contains(key) && !second.contains(key)) continue;
    if (auto found = compare_key("", key, first, second)) return found;
  }
  return compare_objects("", first, second);
}

void require_same_identity(const std::filesystem::path& folder, const json& recorded,
                           const json& now) {
  const std::optional<IdentityDifference> found = difference(recorded, now);
  if (!found) return;
  throw UsageError(folder.string() + ": its results were made with " + found->field + " " +
                   found->first + ", this run has " + found->second +
                   "; use another --out, or --fresh to start again");
}

}  // namespace mcvol
