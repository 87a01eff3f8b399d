#include "graph_runner.h"

#include <algorithm>
#include <array>
#include <new>
#include <sstream>
#include <string_view>

#include "graph_nodes.h"
#include "network/device/serial_section.h"
#include <ATen/record_function.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/runtime/custom_operator.h>

namespace mcvol {
namespace {

thread_local double counted_flop = 0.0;

/// Rounds of all loops in one run of a graph: more than any network makes that walks through a
/// window slice by slice and head by head.
constexpr std::int64_t kMostRounds = 100'000;
thread_local std::int64_t rounds_made = 0;

void run_loop_round(torch::jit::Stack& stack) {
  const std::string where = torch::jit::pop(stack).toStringRef();
  TORCH_CHECK(++rounds_made <= kMostRounds, "a loop in '", where, "' did not end within ",
              kMostRounds, " rounds; give it a length that does not depend on what it computes");
}

/// Nothing else could stop a loop without end.
void count_rounds(const std::shared_ptr<torch::jit::Graph>& graph) {
  static const torch::jit::RegisterOperators registered({torch::jit::Operator(
      "mcvol::loop_round(str where) -> ()", run_loop_round, c10::AliasAnalysisKind::CONSERVATIVE)});
  for_each_node(graph->block(), [&](torch::jit::Node* node) {
    if (node->kind() != c10::prim::Loop) return;
    const torch::jit::WithInsertPoint at(*node->blocks()[0]->nodes().begin());
    torch::jit::Value* where = graph->insertConstant(where_of(node));
    torch::jit::Node* round = graph->create(c10::Symbol::fromQualString("mcvol::loop_round"), 0);
    round->addInput(where);
    graph->insertNode(round);
  });
}

std::shared_ptr<torch::jit::Graph> with_counted_rounds(
    const std::shared_ptr<torch::jit::Graph>& graph) {
  count_rounds(graph);
  return graph;
}

/// Multiply-adds per element of the result, known before the call, when only its inputs are.
struct CallWork final : at::ObserverContext {
  double per_result = 0.0;
  double fixed = 0.0;  ///< work that does not depend on the result's size
};

std::optional<at::Tensor> tensor_at(c10::ArrayRef<const c10::IValue> values, std::size_t index) {
  if (index >= values.size() || !values[index].isTensor()) return std::nullopt;
  return values[index].toTensor();
}

/// The interpreter hands over its whole stack, of which the arguments are the last.
c10::ArrayRef<const c10::IValue> arguments_of(const at::RecordFunction& call) {
  const c10::ArrayRef<const c10::IValue> stack = call.inputs();
  const auto schema = call.operator_schema();
  const std::size_t count = schema ? schema->arguments().size() : stack.size();
  return stack.slice(stack.size() - std::min(count, stack.size()));
}

std::unique_ptr<at::ObserverContext> work_before(const at::RecordFunction& call) {
  const std::string_view name = call.name();
  if (name == kCountedConvolution) {
    const at::Tensor& weight = call.inputs()[0].toTensor();
    const at::Tensor& output = call.inputs()[1].toTensor();
    auto work = std::make_unique<CallWork>();
    work->fixed = static_cast<double>(weight[0].numel()) * static_cast<double>(output.numel());
    return work;
  }
  const bool onednn = name == "aten::mkldnn_convolution";
  const bool convolution = onednn || name == "aten::convolution";
  if (!convolution && name != "aten::mm" && name != "aten::bmm" && name != "aten::addmm") {
    return nullptr;
  }
  const auto arguments = arguments_of(call);
  const std::size_t first = name == "aten::addmm" ? 1 : 0;
  const auto input = tensor_at(arguments, first);
  const auto weight = tensor_at(arguments, first + 1);
  if (!input || !weight) return nullptr;
  auto work = std::make_unique<CallWork>();
  if (!convolution) {
    work->per_result = static_cast<double>(input->size(-1));
    return work;
  }
  const double per_site =
      static_cast<double>(weight->numel()) / static_cast<double>(weight->size(0));
  const bool transposed = !onednn && arguments.at(6).toBool();
  (transposed ? work->fixed : work->per_result) =
      transposed ? per_site * static_cast<double>(input->numel()) : per_site;
  return work;
}

void count_after(const at::RecordFunction& call, at::ObserverContext* context) {
  const auto* work = static_cast<const CallWork*>(context);
  if (work == nullptr) return;
  counted_flop += 2.0 * work->fixed;
  if (call.outputs().empty() || !call.outputs()[0].isTensor()) return;
  counted_flop +=
      2.0 * work->per_result * static_cast<double>(call.outputs()[0].toTensor().numel());
}

/// MKL's vector functions choose their kernels at the first call. Where two threads make it
/// together, one of them may compute that call with a less accurate one (measured: exp off by 1e-5,
/// in 3 of 100 runs on a busy machine). So the first call is made alone.
void settle_vector_functions() {
  static const bool settled = [] {
    const c10::InferenceMode inference;
    for (const c10::ScalarType type : {at::kFloat, at::kDouble}) {
      const at::Tensor x = at::full({16}, 0.5, type);
      for (const auto function : {at::exp, at::expm1, at::log, at::log1p, at::sqrt, at::tanh,
                                  at::erf, at::sin, at::cos}) {
        static_cast<void>(function(x));
      }
    }
    return true;
  }();
  static_cast<void>(settled);
}

}  // namespace

GraphRunner::GraphRunner(const std::shared_ptr<torch::jit::Graph>& graph)
    : code_(with_counted_rounds(graph), "mcvol"), output_count_(graph->outputs().size()) {
  settle_vector_functions();
}

std::vector<at::Tensor> GraphRunner::run(std::vector<at::Tensor> inputs) const {
  const c10::InferenceMode inference;
  torch::jit::Stack stack;
  stack.reserve(inputs.size());
  for (at::Tensor& input : inputs) stack.emplace_back(std::move(input));
  inputs.clear();
  const SerialSectionGuard guard;
  rounds_made = 0;
  try {
    torch::jit::InterpreterState(code_).run(stack);
  } catch (const std::exception& error) {
    if (is_out_of_memory(error)) throw std::bad_alloc();
    throw;
  }
  std::vector<at::Tensor> outputs;
  outputs.reserve(output_count_);
  for (auto& value : torch::jit::last(stack, output_count_)) outputs.push_back(value.toTensor());
  return outputs;
}

bool is_out_of_memory(const std::exception& error) {
  if (dynamic_cast<const std::bad_alloc*>(&error) != nullptr) return true;
  if (dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr) return true;
  const std::string_view text = error.what();
  constexpr std::array<std::string_view, 5> kSigns = {
      "can't allocate memory", "out of memory", "std::bad_alloc", "CUBLAS_STATUS_ALLOC_FAILED",
      "CUDNN_STATUS_ALLOC_FAILED"};
  return std::any_of(kSigns.begin(), kSigns.end(),
                     [&](std::string_view sign) { return text.find(sign) != text.npos; });
}

std::optional<std::string> device_failure(const std::exception& error) {
  std::istringstream text(error.what());
  for (std::string line; std::getline(text, line);) {
    for (const std::string_view sign :
         {"CUDA error", "CUDA driver error", "CUDNN_STATUS", "CUBLAS_STATUS"}) {
      if (line.find(sign) != line.npos) return line;
    }
  }
  return std::nullopt;
}

CountedRun run_counting(const GraphRunner& runner, std::vector<at::Tensor> inputs) {
  counted_flop = 0.0;
  const auto handle =
      at::addThreadLocalCallback(at::RecordFunctionCallback(work_before, count_after)
                                     .needsInputs(true)
                                     .needsOutputs(true)
                                     .scopes({at::RecordScope::FUNCTION}));
  CountedRun run;
  try {
    run.outputs = runner.run(std::move(inputs));
  } catch (...) {
    at::removeCallback(handle);
    throw;
  }
  at::removeCallback(handle);
  run.flop = counted_flop;
  return run;
}

std::string reason_of(const std::exception& exception) {
  std::istringstream text(exception.what());
  std::string last;
  for (std::string line; std::getline(text, line);) {
    if (line.starts_with("Exception raised from")) break;
    if (!line.empty() && line.find_first_not_of(" ~^<-") != std::string::npos) last = line;
  }
  constexpr std::string_view kPrefix = "RuntimeError: ";
  return last.starts_with(kPrefix) ? last.substr(kPrefix.size()) : last;
}

}  // namespace mcvol
