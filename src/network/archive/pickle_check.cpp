#include "pickle_check.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include <torch/csrc/jit/serialization/pickler_helper.h>

namespace mcvol {
namespace {

using OpCode = torch::jit::PickleOpCode;

constexpr int kMostDepth = 1000;                  // modules of networks lie some ten deep
constexpr std::uint64_t kMostParts = 10'000'000;  // of one value, and of all together
constexpr int kMostBrackets = 100;                // open in a text, which may be a type's name
constexpr std::uint64_t kMostNumberKeys = 20;     // of a dictionary, but for small ones

/// What is known of a value.
struct PickledValue {
  enum class Kind { kOther, kText, kSmallNumber, kList, kDictionary, kObject };
  Kind kind = Kind::kOther;
  int depth = 0;               ///< how deep values lie in it
  std::uint64_t parts = 1;     ///< of how many it consists
  bool named = false;          ///< whether it may be had again: nothing goes into it from then on
  std::string_view text = {};  ///< its own, or the third of a tuple's: a record of tensor values
};

/// Follows the instructions as LibTorch's Unpickler does, with PickledValues for values. Whatever
/// PyTorch does not write is a danger: LibTorch reads more than that.
class PickleWalk {
 public:
  explicit PickleWalk(std::string_view pickle) : left_(pickle) {}

  PickleFindings findings() {
    while (findings_.danger.empty() && !ended_) {
      if (left_.empty() || !step()) refuse("instructions that PyTorch does not write");
      if (stack_.size() + memo_.size() > kMostParts || pushed_ > kMostParts) {
        refuse("more than 10^7 objects");
      }
    }
    if (findings_.danger.empty() && (stack_.size() != 1 || !marks_.empty())) {
      refuse("instructions that PyTorch does not write");
    }
    return std::move(findings_);
  }

 private:
  using Kind = PickledValue::Kind;

  void refuse(const std::string& danger) {
    if (findings_.danger.empty()) findings_.danger = danger;
  }

  /// False for what cannot be followed.
  bool step() {
    const OpCode code = static_cast<OpCode>(left_.front());
    left_.remove_prefix(1);
    switch (code) {
      case OpCode::STOP:
        ended_ = true;
        return true;
      case OpCode::MARK:
        marks_.push_back(stack_.size());
        return true;
      case OpCode::EMPTY_LIST:
        return push({Kind::kList, 1});
      case OpCode::EMPTY_DICT:
        return push({Kind::kDictionary, 1});
      case OpCode::EMPTY_TUPLE:
        return push({Kind::kOther, 1});
      case OpCode::NONE:
      case OpCode::NEWTRUE:
      case OpCode::NEWFALSE:
        return push({});
      case OpCode::TUPLE:
        return gather(marked(), Kind::kOther);
      case OpCode::LIST:
        return gather(marked(), Kind::kOther);
      case OpCode::TUPLE1:
        return gather(1, Kind::kOther);
      case OpCode::TUPLE2:
      case OpCode::REDUCE:
        return gather(2, Kind::kOther);
      case OpCode::TUPLE3:
        return gather(3, Kind::kOther);
      case OpCode::NEWOBJ:
        return gather(2, Kind::kObject);
      case OpCode::BINPERSID:
        return read_record();
      case OpCode::APPEND:
        return fill(1, Kind::kList);
      case OpCode::APPENDS:
        return fill(marked(), Kind::kList);
      case OpCode::SETITEMS:
        return fill(marked(), Kind::kDictionary);
      case OpCode::BUILD:
        return fill(1, Kind::kObject);
      default:
        return name(code) || scalar(code);
    }
  }

  bool name(OpCode code) {
    switch (code) {
      case OpCode::BINPUT:
        return put(number(1));
      case OpCode::LONG_BINPUT:
        return put(number(4));
      case OpCode::BINGET:
        return get(number(1));
      case OpCode::LONG_BINGET:
        return get(number(4));
      default:
        return false;
    }
  }

  bool scalar(OpCode code) {
    switch (code) {
      case OpCode::PROTO:
        return skip(1);
      case OpCode::BININT1:
        return skip(1) && push({Kind::kSmallNumber});
      case OpCode::BININT2:
        return skip(2) && push({Kind::kSmallNumber});
      case OpCode::BININT:
        return skip(4) && push({});
      case OpCode::BINFLOAT:
        return skip(8) && push({});
      case OpCode::LONG1:
        return sized(1, Kind::kOther);
      case OpCode::SHORT_BINSTRING:
        return sized(1, Kind::kText);
      case OpCode::BINUNICODE:
      case OpCode::BINSTRING:
        return sized(4, Kind::kText);
      case OpCode::GLOBAL:
        return line() && line() && push({});
      default:
        return false;
    }
  }

  bool push(const PickledValue& value) {
    if (value.depth > kMostDepth) refuse("objects more than 1,000 deep within each other");
    if (value.parts > kMostParts) refuse("objects that stand for more than 10^7 others");
    ++pushed_;
    stack_.push_back(value);
    return true;
  }

  /// The last values become one that holds them.
  bool gather(std::optional<std::size_t> count, Kind kind) {
    if (!count || stack_.size() < *count) return false;
    PickledValue made = of_last(*count);
    ++made.depth;
    ++made.parts;
    made.kind = kind;
    const std::size_t first = stack_.size() - *count;
    if (*count > 2) made.text = stack_[first + 2].text;
    stack_.resize(first);
    return push(made);
  }

  /// The last values go into the one before them.
  bool fill(std::optional<std::size_t> count, Kind kind) {
    if (!count || stack_.size() < *count + 1) return false;
    if (kind == Kind::kDictionary) check_keys(*count);
    const PickledValue held = of_last(*count);
    stack_.resize(stack_.size() - *count);
    PickledValue filled = stack_.back();
    stack_.pop_back();
    if (filled.named || filled.kind != kind) refuse("objects that may hold themselves");
    filled.depth = std::max(filled.depth, held.depth + 1);
    filled.parts += held.parts;
    return push(filled);
  }

  /// LibTorch's tables of numbers can be made to grow without end by keys that are chosen for it.
  void check_keys(std::size_t count) {
    std::uint64_t numbers = 0;
    for (std::size_t n = stack_.size() - count; n < stack_.size(); n += 2) {
      numbers += stack_[n].kind != Kind::kText && stack_[n].kind != Kind::kSmallNumber ? 1 : 0;
    }
    if (numbers > kMostNumberKeys) refuse("a dictionary of many large numbers as keys");
  }

  PickledValue of_last(std::size_t count) const {
    PickledValue held;
    held.parts = 0;
    for (std::size_t n = stack_.size() - count; n < stack_.size(); ++n) {
      held.depth = std::max(held.depth, stack_[n].depth);
      held.parts += stack_[n].parts;
    }
    return held;
  }

  /// How many values came since the last mark, which it takes away.
  std::optional<std::size_t> marked() {
    if (marks_.empty() || marks_.back() > stack_.size()) return std::nullopt;
    const std::size_t count = stack_.size() - marks_.back();
    marks_.pop_back();
    return count;
  }

  /// ('storage', type, record, device, size) becomes a tensor's values.
  bool read_record() {
    if (stack_.empty() || stack_.back().text.empty()) return false;
    findings_.records.emplace_back(stack_.back().text);
    stack_.back() = {};
    return true;
  }

  bool put(std::optional<std::uint32_t> name) {
    if (!name || stack_.empty()) return false;
    // PyTorch counts them up; LibTorch makes room for all below.
    if (*name > memo_.size()) {
      refuse("a name for the " + std::to_string(*name) + "th object of " +
             std::to_string(memo_.size()));
      return true;
    }
    if (*name == memo_.size()) memo_.emplace_back();
    stack_.back().named = true;  // PyTorch names what is full
    memo_[*name] = stack_.back();
    return true;
  }

  bool get(std::optional<std::uint32_t> name) {
    return name && *name < memo_.size() && push(memo_[*name]);
  }

  std::optional<std::uint32_t> number(std::size_t bytes) {
    if (left_.size() < bytes) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t n = bytes; n > 0; --n) {
      value = value << 8 | static_cast<std::uint8_t>(left_[n - 1]);
    }
    left_.remove_prefix(bytes);
    return value;
  }

  bool skip(std::size_t bytes) {
    if (left_.size() < bytes) return false;
    left_.remove_prefix(bytes);
    return true;
  }

  bool sized(std::size_t bytes, Kind kind) {
    const auto size = number(bytes);
    if (!size || left_.size() < *size) return false;
    PickledValue value{kind};
    if (kind == Kind::kText) {
      value.text = left_.substr(0, *size);
      check_brackets(value.text);
    }
    return skip(*size) && push(value);
  }

  /// A text may be the name of a type, which LibTorch's parser calls itself for.
  void check_brackets(std::string_view text) {
    int open = 0;
    for (const char c : text) {
      open += c == '[' || c == '(' ? 1 : c == ']' || c == ')' ? -1 : 0;
      if (open > kMostBrackets) refuse("a text of more than 100 brackets within each other");
    }
  }

  bool line() {
    const std::size_t end = left_.find('\n');
    return end != std::string_view::npos && skip(end + 1);
  }

  std::string_view left_;
  std::vector<PickledValue> stack_, memo_;
  std::vector<std::size_t> marks_;
  std::uint64_t pushed_ = 0;
  bool ended_ = false;
  PickleFindings findings_;
};

}  // namespace

PickleFindings findings_in_pickle(std::string_view pickle) { return PickleWalk(pickle).findings(); }

}  // namespace mcvol
