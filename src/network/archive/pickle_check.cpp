#include "pickle_check.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <vector>

#include <torch/csrc/jit/serialization/pickler_helper.h>

namespace mcvol {
namespace {

using OpCode = torch::jit::PickleOpCode;

constexpr int kMostDepth = 1000;                  // modules of networks lie some ten deep
constexpr std::uint64_t kMostParts = 10'000'000;  // of all objects of a network together

/// What is known of a value: how deep values lie in it, of how many it consists, whose it is.
struct PickledValue {
  int depth = 0;
  std::uint64_t parts = 1;
  int container = -1;  ///< its number, of a list, a dictionary or an object
};

/// Follows the instructions as LibTorch's Unpickler does, with PickledValues for values.
class PickleWalk {
 public:
  explicit PickleWalk(std::string_view pickle) : left_(pickle) {}

  std::string danger() {
    while (danger_.empty() && !left_.empty() && step()) {
    }
    return danger_;
  }

 private:
  /// False at the end, and where LibTorch will refuse what follows.
  bool step() {
    const OpCode code = static_cast<OpCode>(left_.front());
    left_.remove_prefix(1);
    switch (code) {
      case OpCode::MARK:
        marks_.push_back(stack_.size());
        return true;
      case OpCode::EMPTY_LIST:
      case OpCode::EMPTY_DICT:
        return push({1, 1, containers_++});
      case OpCode::EMPTY_TUPLE:
        return push({1, 1, -1});
      case OpCode::NONE:
      case OpCode::NEWTRUE:
      case OpCode::NEWFALSE:
        return push({});
      case OpCode::TUPLE:
        return gather_marked();
      case OpCode::TUPLE1:
        return gather(1);
      case OpCode::TUPLE2:
      case OpCode::REDUCE:
      case OpCode::NEWOBJ:
        return gather(2);
      case OpCode::TUPLE3:
        return gather(3);
      case OpCode::BINPERSID:
        return gather(1);
      case OpCode::APPEND:
      case OpCode::BUILD:
        return fill(1);
      case OpCode::SETITEM:
        return fill(2);
      case OpCode::APPENDS:
      case OpCode::SETITEMS:
        return fill_marked();
      case OpCode::DICT:
      case OpCode::LIST:
        return gather_marked();
      case OpCode::BINPUT:
        return put(number(1));
      case OpCode::LONG_BINPUT:
        return put(number(4));
      case OpCode::BINGET:
        return get(number(1));
      case OpCode::LONG_BINGET:
        return get(number(4));
      case OpCode::GLOBAL:
        return line() && line() && push({});
      default:
        return scalar(code);
    }
  }

  bool scalar(OpCode code) {
    switch (code) {
      case OpCode::PROTO:
        return skip(1);
      case OpCode::BININT1:
        return skip(1) && push({});
      case OpCode::BININT2:
        return skip(2) && push({});
      case OpCode::BININT:
        return skip(4) && push({});
      case OpCode::BINFLOAT:
        return skip(8) && push({});
      case OpCode::LONG1:
      case OpCode::SHORT_BINSTRING:
        return sized(1);
      case OpCode::BINUNICODE:
      case OpCode::BINSTRING:
        return sized(4);
      default:
        return false;  // STOP, or nothing that LibTorch reads
    }
  }

  bool push(const PickledValue& value) {
    if (value.depth > kMostDepth) danger_ = "objects more than 1,000 deep within each other";
    if (value.parts > kMostParts) danger_ = "objects that stand for more than 10^7 others";
    stack_.push_back(value);
    return true;
  }

  /// The last values become one that holds them.
  bool gather(std::size_t count) {
    if (stack_.size() < count) return false;
    const PickledValue held = of_last(count);
    stack_.resize(stack_.size() - count);
    // Objects are filled later, so that they are containers too.
    return push({held.depth + 1, held.parts + 1, containers_++});
  }

  bool gather_marked() {
    const auto count = marked();
    return count && gather(*count);
  }

  /// The last values go into the one before them.
  bool fill(std::size_t count) {
    if (stack_.size() < count + 1) return false;
    const PickledValue held = of_last(count);
    stack_.resize(stack_.size() - count);
    PickledValue filled = stack_.back();
    stack_.pop_back();
    if (named_.contains(filled.container)) danger_ = "objects that may hold themselves";
    filled.depth = std::max(filled.depth, held.depth + 1);
    filled.parts += held.parts;
    return push(filled);
  }

  bool fill_marked() {
    const auto count = marked();
    return count && fill(*count);
  }

  PickledValue of_last(std::size_t count) const {
    PickledValue held{0, 0, -1};
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

  bool put(std::optional<std::uint32_t> name) {
    if (!name || stack_.empty()) return false;
    // PyTorch counts them up; LibTorch makes room for all below.
    if (*name > memo_.size()) {
      danger_ = "a name for the " + std::to_string(*name) + "th object of " +
                std::to_string(memo_.size());
      return false;
    }
    if (*name == memo_.size()) memo_.emplace_back();
    memo_[*name] = stack_.back();
    return true;
  }

  bool get(std::optional<std::uint32_t> name) {
    if (!name || *name >= memo_.size()) return false;
    const PickledValue& value = memo_[*name];
    if (value.container >= 0) named_.insert(value.container);
    return push(value);
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

  bool sized(std::size_t bytes) {
    const auto size = number(bytes);
    return size && skip(*size) && push({});
  }

  bool line() {
    const std::size_t end = left_.find('\n');
    return end != std::string_view::npos && skip(end + 1);
  }

  std::string_view left_;
  std::vector<PickledValue> stack_, memo_;
  std::vector<std::size_t> marks_;
  std::set<int> named_;  ///< containers that were named again
  int containers_ = 0;
  std::string danger_;
};

}  // namespace

std::string danger_of_unpickling(std::string_view pickle) { return PickleWalk(pickle).danger(); }

}  // namespace mcvol
