#include "code_check.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <vector>

#include "network/jit/graph_nodes.h"
#include "operator_effects.h"
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>

namespace mcvol {
namespace {

using torch::jit::Block;
using torch::jit::Function;
using torch::jit::Graph;
using torch::jit::Node;

/// Ten times what the largest networks have that we know of.
constexpr std::int64_t kMostOperators = 1'000'000;
/// Loops of that length and more are not written out whole by LibTorch.
constexpr std::int64_t kLongestWrittenOut = 64;
/// Methods that LibTorch calls where no loop is counted and nothing is silenced.
bool runs_unseen(const std::string& method) {
  return method == "__setstate__" || method == "__enter__" || method == "__exit__" ||
         method == "__lt__";
}

/// Null of a function of C++.
Graph* graph_of(const Function& function) {
  if (!function.isGraphFunction()) return nullptr;
  return torch::jit::toGraphFunction(const_cast<Function&>(function)).graph().get();
}

/// "Net.forward" of "__torch__.___torch_mangle_3.Net.forward".
std::string place_of(const Function& function) {
  static const std::regex noise("__torch__\\.|___torch_mangle_[0-9]+\\.");
  return std::regex_replace(function.qualname().qualifiedName(), noise, "");
}

/// The functions that a node calls: of an interface, those of every class that may stand behind it.
std::vector<const Function*> called_by(const Node& node, const std::vector<Function*>& all) {
  std::vector<const Function*> called;
  if (node.kind() == c10::prim::CallFunction) {
    const auto type = node.input(0)->type()->cast<c10::FunctionType>();
    if (type) called.push_back(type->function());
  } else if (node.kind() == c10::prim::CallMethod) {
    const std::string method = node.s(c10::attr::name);
    const auto of_class = node.input(0)->type()->cast<c10::ClassType>();
    if (of_class) {
      called.push_back(of_class->findMethod(method));
    } else {
      std::copy_if(all.begin(), all.end(), std::back_inserter(called),
                   [&](const Function* function) { return function->name() == method; });
    }
  }
  if (node.kind() == c10::prim::Enter || node.kind() == c10::prim::Exit) {
    const auto of_class = node.input(0)->type()->cast<c10::ClassType>();
    const bool enters = node.kind() == c10::prim::Enter;
    if (of_class) called.push_back(of_class->findMethod(enters ? "__enter__" : "__exit__"));
  }
  std::erase(called, nullptr);
  return called;
}

/// Operators of functions once what they call stands in them.
class InlinedSize {
 public:
  explicit InlinedSize(const std::vector<Function*>& all) : all_(all) {}

  /// At most a little over kMostOperators. None where a function calls itself.
  std::optional<std::int64_t> of(const Function& function) {
    const auto known = sizes_.find(&function);
    if (known != sizes_.end()) return known->second;
    Graph* const graph = graph_of(function);
    if (graph == nullptr) return 1;
    sizes_[&function] = std::nullopt;  // until it is known
    std::int64_t size = 0;
    bool ends = true;
    for_each_node(graph->block(), [&](const Node* node) {
      std::int64_t most = 1;
      for (const Function* called : called_by(*node, all_)) {
        const auto of_called = of(*called);
        ends = ends && of_called;
        most = std::max(most, of_called.value_or(0));
      }
      size = std::min(size + most, kMostOperators + 1);
    });
    if (!ends) return std::nullopt;
    return sizes_[&function] = size;
  }

 private:
  const std::vector<Function*>& all_;
  std::map<const Function*, std::optional<std::int64_t>> sizes_;
};

[[noreturn]] void refuse_size(const std::string& name, const std::string& what) {
  throw ModelError(name + ": " + what + " comes to more than " + std::to_string(kMostOperators) +
                   " operators, which is no network that mcvol can run; export it anew");
}

void refuse_effects(const Function& function, const std::string& name) {
  for_each_node(graph_of(function)->block(), [&](const Node* node) {
    const auto effect = effect_of(*node);
    if (!effect) return;
    throw ModelError(name + ": the network calls " + node->kind().toQualString() + " in '" +
                     place_of(function) + "', which " + *effect +
                     "; mcvol runs only operators that do nothing but give their results: remove "
                     "it and export the network anew");
  });
}

/// What runs as the file is read: it can neither be stopped nor silenced.
void refuse_loops_while_reading(const Function& function, const std::vector<Function*>& all,
                                const std::string& name, std::set<const Function*>& seen) {
  Graph* const graph = graph_of(function);
  if (graph == nullptr || !seen.insert(&function).second) return;
  for_each_node(graph->block(), [&](const Node* node) {
    if (node->kind() == c10::prim::Loop || node->kind() == c10::prim::Print) {
      throw ModelError(
          name + ": " + node->kind().toQualString() + " in '" + place_of(function) +
          "' would run where mcvol cannot stop it (__setstate__ while the file is read, "
          "__enter__, __exit__, __lt__); remove it and export the network anew");
    }
    for (const Function* called : called_by(*node, all)) {
      refuse_loops_while_reading(*called, all, name, seen);
    }
  });
}

/// Whether a value is computed from an input of the graph that is a tensor: the image.
bool depends_on_image(const torch::jit::Value* value, std::set<const torch::jit::Value*>& seen) {
  if (!seen.insert(value).second) return false;
  const Node* node = value->node();
  if (node->kind() == c10::prim::Param) {
    const bool of_graph = node->owningBlock()->owningNode() == nullptr;
    return of_graph && value->type()->isSubtypeOf(*c10::TensorType::get());
  }
  return std::any_of(node->inputs().begin(), node->inputs().end(),
                     [&](const torch::jit::Value* input) { return depends_on_image(input, seen); });
}

/// How often LibTorch writes out the body of a loop: of a length that is known, or may come to be.
std::int64_t rounds_written_out(const Node& loop) {
  const auto length = torch::jit::constant_as<std::int64_t>(loop.input(0));
  if (length) return std::clamp<std::int64_t>(*length, 1, kLongestWrittenOut);
  std::set<const torch::jit::Value*> seen;
  return depends_on_image(loop.input(0), seen) ? 1 : kLongestWrittenOut;
}

std::int64_t written_out_size(const Block* block) {
  std::int64_t size = 0;
  for (const Node* node : block->nodes()) {
    const bool loops = node->kind() == c10::prim::Loop;
    const std::int64_t rounds = loops ? rounds_written_out(*node) : 1;
    for (const Block* inner : node->blocks()) size += rounds * written_out_size(inner);
    size = std::min(size + 1, kMostOperators + 1);
  }
  return size;
}

}  // namespace

void require_harmless_code(const torch::jit::CompilationUnit& code, const std::string& name) {
  const std::vector<Function*> all = code.get_functions();
  InlinedSize sizes(all);
  std::set<const Function*> seen;
  for (const Function* function : all) {
    if (graph_of(*function) == nullptr) continue;
    refuse_effects(*function, name);
    const std::string what = '\'' + place_of(*function) + "' with what it calls";
    if (sizes.of(*function).value_or(kMostOperators + 1) > kMostOperators) refuse_size(name, what);
    if (runs_unseen(function->name())) refuse_loops_while_reading(*function, all, name, seen);
  }
}

void require_bounded_unrolling(const Graph& graph, const std::string& name) {
  if (written_out_size(graph.block()) > kMostOperators) {
    refuse_size(name, "the network with its loops written out");
  }
}

}  // namespace mcvol
