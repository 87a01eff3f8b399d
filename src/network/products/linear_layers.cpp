#include "linear_layers.h"

#include <algorithm>
#include <vector>

#include "network/device/block_loop.h"
#include "network/jit/graph_nodes.h"
#include <ATen/ATen.h>
#include <torch/csrc/jit/runtime/custom_operator.h>

namespace mcvol {
namespace {

constexpr std::int64_t kBlockRows = 64;

// input [samples, …, in], weight [out, in] -> [samples, …, out]. Blocks do not cross samples, so
// that a sample has the same blocks in any batch.
at::Tensor blocked_linear(const at::Tensor& input, const at::Tensor& weight,
                          const std::optional<at::Tensor>& bias) {
  if (input.numel() == 0 || weight.numel() == 0) return at::linear(input, weight, bias);
  std::vector<std::int64_t> sizes = input.sizes().vec();
  const std::int64_t samples = sizes.size() > 1 ? sizes[0] : 1;
  sizes.back() = weight.size(0);
  at::Tensor output = at::empty(sizes, input.options());
  const at::Tensor rows = input.contiguous().view({samples, -1, weight.size(1)});
  const at::Tensor results = output.view({samples, rows.size(1), weight.size(0)});
  const at::Tensor columns = weight.t();
  const std::int64_t blocks = (rows.size(1) + kBlockRows - 1) / kBlockRows;
  for_each_block(at::kCPU, 0, samples * blocks, [&](std::int64_t n) {
    const std::int64_t begin = n % blocks * kBlockRows;
    const std::int64_t count = std::min(kBlockRows, rows.size(1) - begin);
    // Copied, since MKL rounds by where in memory a row begins, which the batch decides.
    const at::Tensor block = rows.select(0, n / blocks).narrow(0, begin, count).clone();
    at::Tensor result = at::mm(block, columns);
    if (bias) result.add_(*bias);
    results.select(0, n / blocks).narrow(0, begin, count).copy_(result);
  });
  return output;
}

void run_linear(torch::jit::Stack& stack) {
  const auto arguments = torch::jit::last(stack, 3);
  at::Tensor output = blocked_linear(arguments[0].toTensor(), arguments[1].toTensor(),
                                     arguments[2].toOptional<at::Tensor>());
  torch::jit::drop(stack, 3);
  torch::jit::pack(stack, std::move(output));
}

void register_linear() {
  static const torch::jit::RegisterOperators registered(
      {torch::jit::Operator("mcvol::linear(Tensor input, Tensor weight, Tensor? bias) -> Tensor",
                            run_linear, c10::AliasAnalysisKind::PURE_FUNCTION)});
}

}  // namespace

void use_blocked_linear_layers(const std::shared_ptr<torch::jit::Graph>& graph) {
  register_linear();
  for_each_node(graph->block(), [&](torch::jit::Node* node) {
    if (node->kind() != c10::Symbol::fromQualString("aten::linear")) return;
    if (writes_into_arguments(node)) return;
    torch::jit::Node* blocked = graph->create(c10::Symbol::fromQualString("mcvol::linear"), 1);
    blocked->copyMetadata(node);
    for (torch::jit::Value* input : node->inputs()) blocked->addInput(input);
    blocked->insertBefore(node);
    blocked->output()->copyMetadata(node->output());
    node->output()->replaceAllUsesWith(blocked->output());
    node->destroy();
  });
}

}  // namespace mcvol
