#include "joined_norm.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "joined_steps.h"
#include "network/device/tensor_values.h"
#include "network/dropout/device_dropout.h"
#include "network/dropout/dropout_operator.h"
#include "network/jit/graph_nodes.h"
#include <ATen/ATen.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/runtime/custom_operator.h>

namespace mcvol {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

/// A parameter as the kernels read it, and PyTorch's operators want it: a network may switch to
/// fp32 in between.
std::optional<at::Tensor> parameter(const c10::IValue& value, const at::Tensor& input) {
  const auto tensor = optional_tensor(value);
  if (!tensor) return std::nullopt;
  return tensor->to(input.device(), input.scalar_type()).contiguous();
}

void run_joined_norm(torch::jit::Stack& stack) {
  const auto arguments = torch::jit::last(stack, 9);
  const at::Tensor input = arguments[0].toTensor();
  const auto weight = parameter(arguments[1], input);
  const auto bias = parameter(arguments[2], input);
  const double epsilon = arguments[3].toDouble();
  const auto slope = parameter(arguments[4], input);
  const at::Tensor draws = arguments[5].toTensor();
  const double rate = arguments[6].toDouble();
  const auto layer = static_cast<int>(arguments[7].toInt());
  const auto sharing = static_cast<MaskSharing>(arguments[8].toInt());
  const bool drops = layer >= 0;
  if (drops) note_dropout(layer);
  at::Tensor output;
  const bool fits = can_join(input) && fits_channels(weight, input.size(1)) &&
                    fits_channels(bias, input.size(1)) && slope_fits(slope, input.size(1));
  if (fits && (!drops || draws.size(0) == input.size(0))) {
    std::optional<DeviceMasks> masks;
    if (drops) masks = DeviceMasks{read_draws(draws), layer, rate, sharing};
    output = device_norm(input, weight, bias, epsilon, slope, masks);
  } else {
    output = at::instance_norm(input, weight, bias, {}, {}, true, 0.0, epsilon, true);
    if (slope) output = at::prelu(output, *slope);
    if (drops) {
      output = run_dropout(output, draws, at::empty({0}, at::kLong), rate, layer,
                           DropoutForm::kInverted, sharing);
    }
  }
  torch::jit::drop(stack, 9);
  torch::jit::pack(stack, std::move(output));
}

void register_joined_norm() {
  static const torch::jit::RegisterOperators registered({torch::jit::Operator(
      "mcvol::norm(Tensor input, Tensor? weight, Tensor? bias, float epsilon, Tensor? slope, "
      "Tensor draws, float rate, int layer, int sharing) -> Tensor",
      run_joined_norm, c10::AliasAnalysisKind::PURE_FUNCTION)});
}

bool is_plain_instance_norm(const Node* node) {
  if (node->kind() != c10::Symbol::fromQualString("aten::instance_norm")) return false;
  const auto own_statistics = torch::jit::toIValue(node->input(5));
  const auto epsilon = torch::jit::toIValue(node->input(7));
  return own_statistics && own_statistics->toBool() && epsilon;
}

/// Whether the bias of a convolution is one that PyTorch takes.
bool has_fitting_bias(const Node* convolution) {
  const auto bias = constant_tensor(convolution->input(2));
  const auto weight = constant_tensor(convolution->input(1));
  if (!bias || !weight || weight->dim() < 2) return false;
  const bool plain = convolution->inputs().size() == 7;
  const bool transposing = convolution->kind() == c10::aten::conv_transpose3d;
  const auto transposed = plain ? std::nullopt : torch::jit::toIValue(convolution->input(6));
  const auto groups = torch::jit::toIValue(convolution->input(plain || transposing ? 6 : 8));
  if (!groups || (!plain && !transposing && !transposed)) return false;
  const bool turned = transposing || (transposed && transposed->toBool());
  const std::int64_t outputs = turned ? weight->size(1) * groups->toInt() : weight->size(0);
  return fits_channels(bias, outputs);
}

/// A constant added to a channel is gone with its mean.
void drop_bias_before(Graph& graph, Node* norm) {
  Node* before = norm->input(0)->node();
  const std::string_view name = before->kind().toQualString();
  const bool convolves = name == "aten::conv3d" || name == "aten::conv_transpose3d" ||
                         name == "aten::convolution" || name == "aten::_convolution";
  if (!convolves || before->output()->uses().size() != 1 || !has_fitting_bias(before)) return;
  const torch::jit::WithInsertPoint at(before);
  before->replaceInput(2, graph.insertConstant(c10::IValue()));
}

void join(Graph& graph, Node* norm, Value* no_draws) {
  drop_bias_before(graph, norm);
  std::vector<Node*> chain = {norm};
  std::optional<at::Tensor> slope;
  Node* dropout = nullptr;
  for (Node* next = only_user(norm); next != nullptr; next = only_user(chain.back())) {
    if (next->input(0) != chain.back()->output()) break;
    std::optional<at::Tensor> found =
        slope ? std::nullopt : constant_slope(next, LeakySlopes::kNotNegative);
    const bool drops = dropout == nullptr && is_inverted_dropout(next);
    if (!found && !drops) break;
    if (found) slope = found;
    if (drops) dropout = next;
    chain.push_back(next);
  }
  const torch::jit::WithInsertPoint at(chain.back());
  Value* none = graph.insertConstant(c10::IValue());
  Node* joined = graph.create(c10::Symbol::fromQualString("mcvol::norm"), 1);
  joined->copyMetadata(norm);
  for (const std::size_t input : {0, 1, 2, 7}) joined->addInput(norm->input(input));
  joined->addInput(slope ? graph.insertConstant(*slope) : none);
  joined->addInput(dropout != nullptr ? dropout->input(1) : no_draws);
  for (const std::size_t input : {3, 4, 6}) {
    Value* absent = input == 3 ? graph.insertConstant(0.0) : graph.insertConstant(-1);
    joined->addInput(dropout != nullptr ? dropout->input(input) : absent);
  }
  joined->insertBefore(chain.back());
  joined->output()->setType(c10::TensorType::get());
  chain.back()->output()->replaceAllUsesWith(joined->output());
  for (auto node = chain.rbegin(); node != chain.rend(); ++node) (*node)->destroy();
}

}  // namespace

void join_norms(const std::shared_ptr<Graph>& graph) {
  register_joined_norm();
  // The joined operator reads later than what it replaces did.
  if (changes_tensors(*graph)) return;
  std::vector<Node*> norms;
  for_each_node(graph->block(), [&](Node* node) {
    if (is_plain_instance_norm(node)) norms.push_back(node);
  });
  if (norms.empty()) return;
  Value* no_draws = nullptr;
  {
    const torch::jit::WithInsertPoint at(*graph->nodes().begin());
    no_draws = graph->insertConstant(at::empty({0, 7}, at::kLong));
  }
  for (Node* norm : norms) join(*graph, norm, no_draws);
}

}  // namespace mcvol
