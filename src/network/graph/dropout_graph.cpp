#include "dropout_graph.h"

#include "mcvol/error/error.h"
#include "mcvol/files/text.h"

#include <algorithm>
#include <array>
#include <set>

#include "attention_dropout.h"
#include "channel_layout.h"
#include "constant_attributes.h"
#include "dropout_marker.h"
#include "eval_norms.h"
#include "forward_output.h"
#include "graph_split.h"
#include "network/archive/code_check.h"
#include "network/archive/module_file.h"
#include "network/dropout/dropout_operator.h"
#include "network/jit/graph_nodes.h"
#include "network/jit/graph_runner.h"
#include "padding_words.h"
#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/dead_code_elimination.h>
#include <torch/csrc/jit/passes/freeze_module.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/csrc/jit/passes/loop_unrolling.h>
#include <torch/csrc/jit/passes/lower_tuples.h>
#include <torch/csrc/jit/passes/peephole.h>
#include <torch/csrc/jit/passes/remove_mutation.h>
#include <torch/csrc/jit/passes/shape_analysis.h>

namespace mcvol {
namespace {

using torch::jit::Graph;
using torch::jit::Node;

// A batch norm traced in training mode counts its batches: state that no measurement needs, and
// that would keep the module from being frozen.
void drop_batch_counts(Graph& graph) {
  for_each_node(graph.block(), [](Node* node) {
    if (node->kind() != c10::Symbol::fromQualString("aten::add_") || node->output()->hasUses()) {
      return;
    }
    const Node* attribute = node->input(0)->node();
    if (attribute->kind() == c10::prim::GetAttr &&
        attribute->s(c10::attr::name) == "num_batches_tracked") {
      node->destroy();
    }
  });
}

// What a network says to its developer would stand among results.
void silence(Graph& graph) {
  for_each_node(graph.block(), [](Node* node) {
    if (node->kind() == c10::prim::Print || node->kind() == c10::aten::warn) node->destroy();
  });
}

bool draws_random_numbers(const Node* node) {
  if (node->kind() != c10::Symbol::fromQualString("aten::scaled_dot_product_attention")) {
    return node->isNondeterministic();
  }
  const auto rate = torch::jit::toIValue(node->input(4));
  return !rate || rate->toDouble() > 0.0;
}

/// The operators that draw random numbers besides dropout, each once.
std::vector<std::string> random_operators(Graph& graph) {
  std::set<std::string> found;
  for_each_node(graph.block(), [&](Node* node) {
    if (draws_random_numbers(node)) found.insert(node->kind().toQualString());
  });
  return {found.begin(), found.end()};
}

/// Through an interface, by which class is known only as it runs.
void refuse_calls(Graph& graph, const std::string& name) {
  for_each_node(graph.block(), [&](Node* node) {
    if (node->kind() != c10::prim::CallMethod && node->kind() != c10::prim::CallFunction) return;
    throw ModelError(name + ": the network calls a method through an interface in '" +
                     where_of(node) +
                     "', which mcvol cannot look into; call a module's method, or trace it");
  });
}

void refuse_other_randomness(Graph& graph, const std::string& name) {
  for_each_node(graph.block(), [&](Node* node) {
    if (!draws_random_numbers(node)) return;
    throw ModelError(name + ": the network draws its own random numbers (" +
                     node->kind().toQualString() + " in '" + where_of(node) +
                     "'), which mcvol cannot repeat; use dropout layers, or remove it");
  });
}

// Done as PyTorch's eval mode does, but said: the reader may have meant it to be drawn.
void note_what_eval_mode_leaves_out(const std::vector<std::string>& random, DropoutGraph& network) {
  if (!random.empty()) {
    network.notes.push_back("Eval mode leaves out what the network draws by itself in training (" +
                            joined(random) + "): it is not sampled.");
  }
  const auto lost = std::count_if(
      network.layers.begin(), network.layers.end(),
      [](const DropoutLayer& layer) { return layer.fate.find("eval mode") != std::string::npos; });
  if (lost > 0) {
    network.notes.push_back(
        "Eval mode leaves out " + std::to_string(lost) +
        " dropout layer(s) that stand under a condition: they are not sampled.");
  }
}

void clean(std::shared_ptr<Graph>& graph, const std::string& name) {
  torch::jit::LowerSimpleTuples(graph);
  torch::jit::RemoveListMutation(graph);
  torch::jit::RemoveTensorMutation(graph);
  torch::jit::ConstantPropagation(graph);
  torch::jit::PeepholeOptimize(graph);
  require_bounded_unrolling(*graph, name);
  torch::jit::UnrollConstantLoops(graph);
  torch::jit::EliminateDeadCode(graph);
}

// With the rank known, checks like `if x.dim() != 5: raise` fold away.
void specialise_to_rank_five(std::shared_ptr<Graph>& graph) {
  graph->inputs()[0]->setType(c10::TensorType::create(
      at::kFloat, at::kCPU, std::optional<size_t>(5), std::optional<bool>(false)));
  torch::jit::PropagateInputShapes(graph);
  torch::jit::PeepholeOptimize(graph);
  torch::jit::ConstantPropagation(graph);
  torch::jit::EliminateDeadCode(graph);
  // Shapes seen here must not bind later runs, on other devices or batches.
  torch::jit::EraseShapeInformation(graph);
}

/// In PyTorch's words for Python.
std::string type_name(c10::ScalarType type) {
  switch (type) {
    case at::kHalf:
      return "float16";
    case at::kDouble:
      return "float64";
    default:
      return lower_case(c10::toString(type));
  }
}

/// The type of the first matrix or kernel of numbers that are not float32.
std::string odd_weights_of(Graph& graph) {
  std::string found;
  for_each_node(graph.block(), [&](Node* node) {
    if (node->kind() != c10::prim::Constant || !found.empty()) return;
    const auto tensor = constant_tensor(node->output());
    if (!tensor || tensor->dim() < 2 || !tensor->is_floating_point()) return;
    if (tensor->scalar_type() != at::kFloat) found = type_name(tensor->scalar_type());
  });
  return found;
}

bool writes_into(const torch::jit::Use& use) {
  if (use.user->kind() == c10::prim::SetAttr) return true;
  const c10::FunctionSchema* schema = use.user->maybeSchema();
  if (schema == nullptr || use.offset >= schema->arguments().size()) return false;
  const c10::AliasInfo* alias = schema->arguments()[use.offset].alias_info();
  return alias != nullptr && alias->isWrite();
}

/// The buffers of a module that are written into, by the paths of their names: 'conv.weight_u'.
void find_written_buffers(const torch::jit::Value* owner, const std::string& path,
                          std::set<std::string>& found) {
  for (const torch::jit::Use& use : owner->uses()) {
    if (!use.user->hasAttribute(c10::attr::name)) continue;
    const std::string name = path + use.user->s(c10::attr::name);
    if (use.user->kind() != c10::prim::GetAttr) continue;
    const torch::jit::Value* attribute = use.user->output();
    if (!is_tensor(attribute)) {
      find_written_buffers(attribute, name + '.', found);
    } else if (std::any_of(attribute->uses().begin(), attribute->uses().end(), writes_into)) {
      found.insert('\'' + name + '\'');
    }
  }
}

[[noreturn]] void refuse_state(const torch::jit::Value* self, const std::string& name) {
  std::set<std::string> written, attributes;
  find_written_buffers(self, "", written);
  if (!written.empty()) {
    throw ModelError(name + ": the network writes into its own buffers (" + joined(written) +
                     ") while it runs, so that a pass would change the next, which mcvol cannot "
                     "repeat; remove what does it before exporting, such as spectral norms "
                     "(remove_spectral_norm, remove_parametrizations) and counters");
  }
  for (const torch::jit::Use& use : self->uses()) {
    if (!use.user->hasAttribute(c10::attr::name)) continue;
    attributes.insert("'" + use.user->s(c10::attr::name) + "'");
  }
  throw ModelError(
      name + ": parts of the network (" + joined(attributes) +
      ") are not constant while it runs (attributes that are set, or dictionaries as "
      "in einops' layers), which mcvol cannot repeat; trace the network in train mode");
}

std::shared_ptr<Graph> forward_of(const torch::jit::Module& frozen, const std::string& name) {
  std::shared_ptr<Graph> graph = frozen.get_method("forward").graph();
  if (graph->inputs()[0]->hasUses()) refuse_state(graph->inputs()[0], name);
  // The module's own, whose code stays, holds no weights then.
  std::shared_ptr<Graph> own = graph->copy();
  empty_graph(*graph);
  own->eraseInput(0);
  return own;
}

}  // namespace

DropoutGraph load_dropout_graph(const std::filesystem::path& path, const std::string& name,
                                DropoutScope scope, std::optional<std::int64_t> output) {
  register_dropout_operators();
  DropoutGraph network;
  torch::jit::Module module = load_module(path, name);
  try {
    take_output(module, output, name);
    std::shared_ptr<Graph> original = module.get_method("forward").graph();
    torch::jit::Inline(*original);
    write_out_attention_dropout(original);
    const std::vector<DropoutLayer> marked = mark_dropout(original, network.notes);
    drop_batch_counts(*original);
    silence(*original);
    const std::vector<std::string> random = random_operators(*original);
    write_in_constant_attributes(module, original);
    EvalNorms norms;
    norms.force_before_freezing(*original);
    require_bounded_unrolling(*original, name);

    const torch::jit::Module frozen = torch::jit::freeze_module(module);
    network.source = std::make_shared<std::array<std::shared_ptr<torch::jit::CompilationUnit>, 2>>(
        std::array{module._ivalue()->compilation_unit(), frozen._ivalue()->compilation_unit()});
    std::shared_ptr<Graph> graph = forward_of(frozen, name);
    graph->addInput("draws")->setType(c10::TensorType::get());
    graph->addInput("positions")->setType(c10::TensorType::get());
    clean(graph, name);
    write_in_padding(*graph);
    specialise_to_rank_five(graph);
    while (write_in_ranks(*graph) > 0) torch::jit::ConstantPropagation(graph);
    clean(graph, name);  // with the rank known, more loops have a constant length
    network.layers = replace_markers(*graph, name, scope, marked);
    norms.force(*graph);
    norms.note(network.notes);
    clean(graph, name);
    refuse_calls(*graph, name);
    refuse_other_randomness(*graph, name);
    note_what_eval_mode_leaves_out(random, network);
    network.whole = graph;
    network.odd_weights = odd_weights_of(*graph);
    split_graph(network);
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw ModelError(name + ": LibTorch could not prepare the network: " + reason_of(error));
  }
  return network;
}

}  // namespace mcvol
