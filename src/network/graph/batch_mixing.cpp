#include "batch_mixing.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "network/jit/graph_nodes.h"
#include <torch/csrc/jit/ir/constants.h>

namespace mcvol {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;
using Names = std::unordered_set<std::string>;
using Dimensions = std::vector<std::int64_t>;

/// A tensor's number of dimensions and the one that the passes of a batch lie in.
struct Place {
  std::optional<std::int64_t> rank;
  std::int64_t rows = 0;
  bool has_rows = true;
};

/// Along `dim` or `dims`; over all where they have none.
const Names& reducing_names() {
  static const Names names = {"all",
                              "amax",
                              "amin",
                              "aminmax",
                              "any",
                              "argmax",
                              "argmin",
                              "argsort",
                              "count_nonzero",
                              "cummax",
                              "cummin",
                              "cumprod",
                              "cumsum",
                              "dist",
                              "flip",
                              "frobenius_norm",
                              "histc",
                              "index_select",
                              "kthvalue",
                              "linalg_norm",
                              "linalg_vector_norm",
                              "log_softmax",
                              "logcumsumexp",
                              "logsumexp",
                              "max",
                              "mean",
                              "median",
                              "min",
                              "mode",
                              "nanmean",
                              "nanmedian",
                              "nanquantile",
                              "nansum",
                              "narrow",
                              "norm",
                              "nuclear_norm",
                              "prod",
                              "quantile",
                              "renorm",
                              "roll",
                              "select",
                              "softmax",
                              "sort",
                              "std",
                              "std_mean",
                              "sum",
                              "topk",
                              "unique_consecutive",
                              "var",
                              "var_mean"};
  return names;
}

std::string plain_name(const Node* node) {
  std::string name = node->kind().toUnqualString();
  if (name.ends_with('_') && !name.starts_with("_")) name.pop_back();
  return name;
}

/// The input of this name; null where the operator takes none.
const Value* argument(const Node* node, const char* name) {
  const c10::FunctionSchema* schema = node->maybeSchema();
  if (schema == nullptr) return nullptr;
  const auto index = schema->argumentIndexWithName(name);
  if (!index || static_cast<std::size_t>(*index) >= node->inputs().size()) return nullptr;
  return node->input(static_cast<std::size_t>(*index));
}

/// One number or several; none where they are computed, or none was given.
std::optional<Dimensions> numbers_of(const Value* value) {
  const auto constant = value != nullptr ? torch::jit::toIValue(value) : std::nullopt;
  if (constant && constant->isInt()) return Dimensions{constant->toInt()};
  if (constant && constant->isIntList()) return constant->toIntVector();
  return std::nullopt;
}

std::optional<std::int64_t> number_of(const Value* value) {
  const auto numbers = numbers_of(value);
  return numbers && numbers->size() == 1 ? std::optional(numbers->front()) : std::nullopt;
}

/// How long a list of sizes is, though they may be computed.
std::optional<std::int64_t> length_of(const Value* list) {
  if (const auto numbers = numbers_of(list)) return std::ssize(*numbers);
  if (list != nullptr && list->node()->kind() == c10::prim::ListConstruct) {
    return static_cast<std::int64_t>(list->node()->inputs().size());
  }
  return std::nullopt;
}

/// Counted from the front; none where the rank is not known.
std::optional<std::int64_t> from_front(std::int64_t dimension, const Place& place) {
  if (dimension >= 0) return dimension;
  return place.rank ? std::optional(dimension + *place.rank) : std::nullopt;
}

bool takes_all(const Node* node) {
  const auto is = [&](const char* name, std::int64_t wanted) {
    const Value* given = argument(node, name);
    const auto constant = given != nullptr ? torch::jit::toIValue(given) : std::nullopt;
    if (given == nullptr || (constant && constant->isNone())) return true;
    return constant && constant->isInt() && constant->toInt() == wanted;
  };
  return is("start", 0) && is("end", std::numeric_limits<std::int64_t>::max()) && is("step", 1);
}

/// Follows the graph from its inputs on.
class Follower {
 public:
  Follower(const Graph& graph, const std::vector<std::int64_t>& ranks, Doubtful doubtful)
      : doubtful_(doubtful) {
    for (std::size_t n = 0; n < ranks.size(); ++n) places_[graph.inputs()[n]] = {ranks[n], 0};
  }

  bool mixes(const Node* node) const {
    const std::string name = plain_name(node);
    if (!node->kind().is_aten() || node->inputs().empty()) return false;
    if (!is_tensor(node->input(0))) return false;  // of a list
    if (name == "batch_norm") {
      const auto own = torch::jit::toIValue(node->input(5));
      return !own || own->toBool();
    }
    const bool cuts = name == "slice" && !takes_all(node);
    if (!cuts && !reducing_names().contains(name)) return false;
    if (argument(node, "other") != nullptr && name != "dist") return false;  // element by element
    return reaches_rows(node, place_of(node->input(0)));
  }

  void follow(const Node* node) {
    const Place place = result_of(node);
    for (const Value* output : node->outputs()) places_[output] = place;
  }

 private:
  Place place_of(const Value* value) const {
    const auto found = places_.find(value);
    return found != places_.end() ? found->second : Place{};
  }

  static const Value* dimensions_of(const Node* node) {
    const Value* dim = argument(node, "dim");
    return dim != nullptr ? dim : argument(node, "dims");
  }

  bool reaches_rows(const Node* node, const Place& place) const {
    if (!place.has_rows) return false;
    const Value* given = dimensions_of(node);
    const auto constant = given != nullptr ? torch::jit::toIValue(given) : std::nullopt;
    if (given == nullptr || (constant && constant->isNone())) return true;  // along all
    const auto dimensions = numbers_of(given);
    if (!dimensions) return doubtful_ == Doubtful::kMixes;
    if (dimensions->empty()) return true;
    return std::any_of(dimensions->begin(), dimensions->end(), [&](std::int64_t dimension) {
      const auto counted = from_front(dimension, place);
      return counted ? *counted == place.rows : doubtful_ == Doubtful::kMixes;
    });
  }

  /// As those of its inputs with the most dimensions, unless it is known to put them elsewhere.
  Place result_of(const Node* node) const {
    const std::string name = plain_name(node);
    if (node->kind() == c10::prim::Constant) return constant_place(node);
    const Place place = common_place(node);
    if (node->kind().is_prim()) return place;
    if (name == "permute") return permuted(node, place);
    if (name == "transpose" || name == "swapaxes" || name == "swapdims") {
      return transposed(node, place);
    }
    if (name == "view" || name == "reshape" || name == "expand" || name == "repeat") {
      return {length_of(node->input(1)), 0, place.has_rows};
    }
    if (name == "select" || name == "unbind" || name == "squeeze") {
      return without(place, numbers_of(argument(node, "dim")));
    }
    if (name == "unsqueeze" || name == "stack")
      return with(place, number_of(argument(node, "dim")));
    if (name == "flatten") return flattened(node, place);
    if (name == "einsum") return {einsum_rank(node), 0, true};
    if (reducing_names().contains(name) && argument(node, "keepdim") != nullptr) {
      const auto keeps = torch::jit::toIValue(argument(node, "keepdim"));
      return keeps && keeps->toBool() ? place : without(place, numbers_of(dimensions_of(node)));
    }
    if (name == "unflatten" || name == "movedim" || name == "index") return {};
    return place;
  }

  static Place constant_place(const Node* node) {
    const auto tensor = constant_tensor(node->output());
    return tensor ? Place{tensor->dim(), 0, false} : Place{};
  }

  Place common_place(const Node* node) const {
    std::optional<Place> most;
    for (const Value* input : node->inputs()) {
      const bool list = input->type()->kind() == c10::TypeKind::ListType;
      if (!is_tensor(input) && !(list && places_.contains(input))) continue;
      if (list && number_of(input)) continue;
      const Place place = place_of(input);
      if (!most || (place.has_rows && !most->has_rows) ||
          (place.has_rows && place.rank && most->rank && *place.rank > *most->rank)) {
        most = place;
      }
    }
    return most.value_or(Place{});
  }

  static Place permuted(const Node* node, const Place& place) {
    const auto dimensions = numbers_of(node->input(1));
    if (!dimensions) return {place.rank, 0, place.has_rows};
    for (std::int64_t to = 0; to < std::ssize(*dimensions); ++to) {
      const std::int64_t from = (*dimensions)[static_cast<std::size_t>(to)];
      const std::int64_t counted = from < 0 ? from + std::ssize(*dimensions) : from;
      if (counted == place.rows) return {std::ssize(*dimensions), to, place.has_rows};
    }
    return {std::ssize(*dimensions), 0, place.has_rows};
  }

  static Place transposed(const Node* node, Place place) {
    const auto first = number_of(node->input(1)), second = number_of(node->input(2));
    if (!first || !second) return {};
    const auto a = from_front(*first, place), b = from_front(*second, place);
    if (a == place.rows && b) {
      place.rows = *b;
    } else if (b == place.rows && a) {
      place.rows = *a;
    }
    return place;
  }

  /// Less some dimensions; less all where they are not said.
  static Place without(Place place, const std::optional<Dimensions>& dimensions) {
    if (!dimensions || !place.rank) return {};
    std::int64_t before = 0;
    for (const std::int64_t dimension : *dimensions) {
      before += *from_front(dimension, place) < place.rows ? 1 : 0;
    }
    place.rank = *place.rank - std::ssize(*dimensions);
    place.rows -= before;
    return place;
  }

  static Place with(Place place, std::optional<std::int64_t> dimension) {
    if (!dimension || !place.rank) return {};
    place.rank = *place.rank + 1;
    if (*from_front(*dimension, place) <= place.rows) ++place.rows;
    return place;
  }

  static Place flattened(const Node* node, const Place& place) {
    const auto start = number_of(node->input(1)), end = number_of(node->input(2));
    if (!start || !end || !place.rank) return {};
    const std::int64_t first = *from_front(*start, place), last = *from_front(*end, place);
    return {*place.rank - (last - first), std::min(place.rows, first), place.has_rows};
  }

  static std::optional<std::int64_t> einsum_rank(const Node* node) {
    const auto equation = torch::jit::toIValue(node->input(0));
    if (!equation || !equation->isString()) return std::nullopt;
    const std::string& text = equation->toStringRef();
    const auto arrow = text.find("->");
    if (arrow == text.npos || text.find('.', arrow) != text.npos) return std::nullopt;
    return std::count_if(text.begin() + static_cast<std::ptrdiff_t>(arrow) + 2, text.end(),
                         [](char letter) { return letter != ' '; });
  }

  Doubtful doubtful_;
  std::unordered_map<const Value*, Place> places_;
};

}  // namespace

std::vector<std::string> mixing_operators(Graph& graph, const std::vector<std::int64_t>& ranks,
                                          Doubtful doubtful) {
  Follower follower(graph, ranks, doubtful);
  std::set<std::string> names;
  for_each_node(graph.block(), [&](const Node* node) {
    if (follower.mixes(node)) names.insert(node->kind().toQualString());
    follower.follow(node);
  });
  return {names.begin(), names.end()};
}

}  // namespace mcvol
