#include "mcvol/files/json_fields.h"

#include "mcvol/error/error.h"
#include "mcvol/files/stand_in.h"
#include "mcvol/files/text.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace mcvol {
namespace {

using nlohmann::json;

/// The value as JSON, cut to what fits in a message.
std::string shown(const json& value) {
  constexpr std::size_t kMaxLength = 60;
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  std::string text = value.dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > kMaxLength) text = text.substr(0, kMaxLength) + "…";
  return text;
}

std::string position_of(const std::string& file, const std::string& text, std::size_t byte) {
  // nlohmann counts the bytes read, so the offending one is the one before.
  const std::size_t end = std::min(byte > 0 ? byte - 1 : 0, text.size());
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<long>(end), '\n');
  const std::size_t newline = end > 0 ? text.rfind('\n', end - 1) : std::string::npos;
  const std::size_t column = newline == std::string::npos ? end + 1 : end - newline;
  return line_of_file(file, static_cast<int>(line)) + ", column " + std::to_string(column);
}

/// Far deeper than any file of ours. Copying, comparing and writing JSON recurse, and a text of
/// brackets alone would exhaust the stack.
constexpr int kMostDepth = 64;

/// Refuses a key given twice in one object, of which nlohmann would silently keep the last, and
/// what is nested too deeply.
class Strictness {
 public:
  explicit Strictness(std::function<void()> refuse_depth)
      : refuse_depth_(std::move(refuse_depth)) {}

  bool operator()(int depth, json::parse_event_t event, json& parsed) {
    if (depth > kMostDepth) refuse_depth_();
    if (event == json::parse_event_t::object_start) {
      keys_.emplace_back();
    } else if (event == json::parse_event_t::object_end) {
      keys_.pop_back();
    } else if (event == json::parse_event_t::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!keys_.back().insert(key).second && duplicate_.empty()) duplicate_ = key;
    }
    return true;
  }
  const std::string& duplicate() const { return duplicate_; }

 private:
  std::function<void()> refuse_depth_;
  std::vector<std::set<std::string>> keys_;
  std::string duplicate_;
};

[[noreturn]] void report(const JsonFail& fail, const std::string& message) {
  fail(message);
  throw Error(message);
}

}  // namespace

json parse_json(const std::string& text, const std::string& file, const JsonFail& fail) {
  Strictness strictness([&] {
    report(fail, file + ": JSON nested more than " + std::to_string(kMostDepth) +
                     " deep, which no file of mcvol is");
  });
  json parsed;
  try {
    parsed = json::parse(text, std::ref(strictness));
  } catch (const json::parse_error& error) {
    const std::string stand_in = stand_in_of(text);
    if (!stand_in.empty()) report(fail, file + ": " + stand_in);
    report(fail, position_of(file, text, error.byte) + ": not valid JSON");
  } catch (const json::exception& error) {
    report(fail, file + ": not valid JSON: " + error.what());
  }
  if (!strictness.duplicate().empty()) {
    report(fail, file + ": field \"" + strictness.duplicate() + "\" is given twice in one object");
  }
  return parsed;
}

JsonFields::JsonFields(const json& object, std::string path, JsonFail fail)
    : object_(&object), path_(std::move(path)), fail_(std::move(fail)) {
  if (!object.is_object()) {
    report(fail_,
           (path_.empty() ? "" : path_ + ": ") + "expected an object, found " + shown(object));
  }
}

bool JsonFields::has(const std::string& key) const {
  known_.insert(key);
  return object_->contains(key);
}

const json& JsonFields::at(const std::string& key) {
  known_.insert(key);
  const auto found = object_->find(key);
  if (found == object_->end()) fail(key, "missing");
  return *found;
}

std::string JsonFields::text(const std::string& key) {
  const json& value = at(key);
  if (!value.is_string()) fail(key, "expected a text, found " + shown(value));
  return value.get<std::string>();
}

std::int64_t JsonFields::integer(const std::string& key) {
  const json& value = at(key);
  const bool too_large =
      value.is_number_unsigned() &&
      value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()};
  if (!value.is_number_integer() || too_large) {
    fail(key, "expected an integer, found " + shown(value));
  }
  return value.get<std::int64_t>();
}

double JsonFields::number(const std::string& key) {
  const json& value = at(key);
  if (!value.is_number() || !std::isfinite(value.get<double>())) {
    fail(key, "expected a number, found " + shown(value));
  }
  return value.get<double>();
}

bool JsonFields::boolean(const std::string& key) {
  const json& value = at(key);
  if (!value.is_boolean()) fail(key, "expected true or false, found " + shown(value));
  return value.get<bool>();
}

JsonFields JsonFields::object(const std::string& key) {
  return JsonFields(at(key), path_of(key), fail_);
}

const json& JsonFields::array(const std::string& key) {
  const json& value = at(key);
  if (!value.is_array()) fail(key, "expected an array, found " + shown(value));
  return value;
}

std::string JsonFields::path_of(const std::string& key) const {
  return path_.empty() ? key : path_ + "." + key;
}

void JsonFields::fail(const std::string& key, const std::string& message) const {
  report(fail_, path_of(key) + ": " + message);
}

void JsonFields::finish() const {
  for (const auto& item : object_->items()) {
    if (known_.contains(item.key())) continue;
    std::string known;
    for (const std::string& key : known_) known += (known.empty() ? "" : ", ") + key;
    fail(item.key(), "unknown field; known here: " + known);
  }
}

}  // namespace mcvol
