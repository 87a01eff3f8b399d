#include "json_mutator.h"

#include "mcvol/error/error.h"
#include "mcvol/files/base64.h"

#include <array>
#include <cstdint>
#include <limits>
#include <random>
#include <vector>

#include <nlohmann/json.hpp>

namespace mcvol::fuzz {
namespace {

using nlohmann::ordered_json;

class Mutation {
 public:
  Mutation(unsigned seed, const MutateBytes& mutate) : random_(seed), mutate_(mutate) {}

  void change(ordered_json& whole) {
    std::vector<ordered_json*> values;
    collect(whole, values);
    ordered_json& value = *values[below(values.size())];
    // A copy, since the one may hold the other.
    const ordered_json other = *values[below(values.size())];
    switch (below(6)) {
      case 0:
        value = other;
        break;
      case 1:
        remove_one(value);
        break;
      case 2:
        add_one(value, other);
        break;
      case 3:
        value = odd_value();
        break;
      default:
        change_within(value);
    }
  }

 private:
  std::size_t below(std::size_t end) {
    return std::uniform_int_distribution<std::size_t>(0, end - 1)(random_);
  }

  static void collect(ordered_json& value, std::vector<ordered_json*>& values) {
    values.push_back(&value);
    if (!value.is_structured()) return;
    for (ordered_json& item : value) collect(item, values);
  }

  void remove_one(ordered_json& value) {
    if (!value.is_structured() || value.empty()) return change_within(value);
    const auto at = static_cast<std::ptrdiff_t>(below(value.size()));
    value.erase(std::next(value.begin(), at));
  }

  void add_one(ordered_json& value, const ordered_json& other) {
    if (value.is_array()) {
      value.push_back(value.empty() || below(2) == 0 ? other : value[below(value.size())]);
    } else if (value.is_object()) {
      value[below(2) == 0 ? "format" : "x"] = other;
    } else {
      change_within(value);
    }
  }

  ordered_json odd_value() {
    static const std::array<ordered_json, 20> kValues{ordered_json(nullptr),
                                                      true,
                                                      false,
                                                      0,
                                                      1,
                                                      -1,
                                                      2,
                                                      255,
                                                      256,
                                                      32767,
                                                      2147483647,
                                                      std::numeric_limits<std::int64_t>::max(),
                                                      std::numeric_limits<std::int64_t>::min(),
                                                      std::numeric_limits<std::uint64_t>::max(),
                                                      1e308,
                                                      -1e-320,
                                                      0.5,
                                                      "",
                                                      ordered_json::array(),
                                                      ordered_json::object()};
    return kValues[below(kValues.size())];
  }

  void change_within(ordered_json& value) {
    if (value.is_string()) {
      value = changed_text(value.get<std::string>());
    } else if (value.is_number_integer()) {
      value = moved(value.get<std::int64_t>(), static_cast<std::int64_t>(below(5)) - 2);
    } else if (value.is_number_float()) {
      value =
          value.get<double>() * static_cast<double>(below(5)) / 2 - static_cast<double>(below(2));
    } else {
      value = odd_value();
    }
  }

  /// Past the largest comes the smallest.
  static std::int64_t moved(std::int64_t number, std::int64_t by) {
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(number) +
                                     static_cast<std::uint64_t>(by));
  }

  std::string changed_text(const std::string& text) {
    constexpr std::size_t kPacked = 64;
    if (text.size() >= kPacked) {
      try {
        std::vector<std::int64_t> counts = counts_from_base64(text);
        if (!counts.empty()) {
          std::int64_t& count = counts[below(counts.size())];
          std::int64_t& other = counts[below(counts.size())];
          const std::int64_t by = std::int64_t{1} << below(62);
          // Most keep their sum, as a histogram's do that is of whole voxels.
          if (below(4) != 0) other = moved(other, -by);
          count = moved(count, by);
          return base64_from_counts(counts);
        }
      } catch (const Error&) {
        // No packed counts.
      }
    }
    return mutate_(text, text.size() + 8);
  }

  std::mt19937 random_;
  const MutateBytes& mutate_;
};

}  // namespace

std::string mutated_json(std::string_view text, unsigned seed, const MutateBytes& mutate) {
  ordered_json whole = ordered_json::parse(text, nullptr, false);
  if (whole.is_discarded()) return {};
  Mutation mutation(seed, mutate);
  for (unsigned n = 0; n <= seed % 3; ++n) mutation.change(whole);
  return whole.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

}  // namespace mcvol::fuzz
