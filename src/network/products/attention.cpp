#include "attention.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <limits>
#include <vector>

#include "batched_products.h"
#include "network/device/block_loop.h"
#include "network/device/tensor_values.h"
#include "network/jit/graph_nodes.h"
#include <ATen/ExpandUtils.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/runtime/custom_operator.h>

namespace mcvol {
namespace {

using torch::jit::Node;

struct Attention {
  at::Tensor queries, keys, values;  ///< [batch …, tokens, features], of one batch
  std::optional<at::Tensor> mask;    ///< [batch …, queries, keys]
  bool causal = false;
  double scale = 1.0;
};

at::Tensor expanded(const at::Tensor& matrices, at::IntArrayRef batch) {
  return matrices.expand(matrix_sizes(batch, matrices.size(-2), matrices.size(-1)));
}

/// Of the queries `begin` to `begin + count - 1` of one matrix.
at::Tensor attended(const Attention& of, std::int64_t matrix, std::int64_t begin,
                    std::int64_t count) {
  const std::int64_t keys = of.keys.size(-2);
  at::Tensor scores = at::mm(copied_rows(of.queries, matrix, begin, count),
                             copied_rows(of.keys, matrix, 0, keys).t())
                          .mul_(of.scale);
  if (of.mask) {
    const at::Tensor mask = copied_rows(*of.mask, matrix, begin, count);
    if (mask.scalar_type() == at::kBool) {
      scores.masked_fill_(mask.logical_not(), -std::numeric_limits<double>::infinity());
    } else {
      scores.add_(mask);
    }
  }
  if (of.causal) {
    const at::Tensor later = at::ones({count, keys}, at::kBool).triu(begin + 1);
    scores.masked_fill_(later, -std::numeric_limits<double>::infinity());
  }
  return at::mm(at::_safe_softmax(scores, -1), copied_rows(of.values, matrix, 0, keys));
}

at::Tensor attention(Attention of) {
  TORCH_CHECK(of.queries.dim() >= 2 && of.keys.dim() >= 2 && of.values.dim() >= 2,
              "attention of tensors of fewer than 2 dimensions");
  TORCH_CHECK(of.queries.size(-1) == of.keys.size(-1) && of.keys.size(-2) == of.values.size(-2),
              "attention of queries ", of.queries.sizes(), ", keys ", of.keys.sizes(),
              " and values ", of.values.sizes());
  const auto batch = at::infer_size(at::infer_size(batch_sizes(of.queries), batch_sizes(of.keys)),
                                    batch_sizes(of.values));
  const std::int64_t rows = of.queries.size(-2), keys = of.keys.size(-2);
  of.queries = expanded(of.queries, batch);
  of.keys = expanded(of.keys, batch);
  of.values = expanded(of.values, batch);
  if (of.mask) of.mask = of.mask->expand(matrix_sizes(batch, rows, keys));
  at::Tensor output =
      at::empty(matrix_sizes(batch, rows, of.values.size(-1)), of.queries.options());
  if (output.numel() == 0) return output;
  const at::Tensor results = output.view({-1, rows, output.size(-1)});
  const std::int64_t height =
      rows_of_block(rows, of.queries.size(-1) + of.values.size(-1), of.keys.size(-2));
  const std::int64_t blocks = (rows + height - 1) / height;
  for_each_block(at::kCPU, 0, results.size(0) * blocks, [&](std::int64_t task) {
    const std::int64_t begin = task % blocks * height;
    const std::int64_t count = std::min(height, rows - begin);
    results.select(0, task / blocks)
        .narrow(0, begin, count)
        .copy_(attended(of, task / blocks, begin, count));
  });
  return output;
}

// queries, keys, values, mask, causal, scale
void run_attention(torch::jit::Stack& stack) {
  const auto arguments = torch::jit::last(stack, 6);
  Attention of{arguments[0].toTensor(), arguments[1].toTensor(), arguments[2].toTensor(),
               optional_tensor(arguments[3]), arguments[4].toBool()};
  of.scale = arguments[5].isNone() ? 1.0 / std::sqrt(static_cast<double>(of.queries.size(-1)))
                                   : arguments[5].toDouble();
  at::Tensor output = attention(std::move(of));
  torch::jit::drop(stack, 6);
  torch::jit::pack(stack, std::move(output));
}

void register_attention() {
  static const torch::jit::RegisterOperators registered({torch::jit::Operator(
      "mcvol::attention(Tensor queries, Tensor keys, Tensor values, Tensor? mask, bool causal, "
      "float? scale) -> Tensor",
      run_attention, c10::AliasAnalysisKind::PURE_FUNCTION)});
}

/// x [samples, …, values]. A row's place in its block, by which PyTorch rounds, is that in its
/// sample.
at::Tensor blocked_softmax(const at::Tensor& x) {
  if (x.dim() < 2 || x.numel() == 0) return at::softmax(x, -1);
  constexpr std::int64_t kValues = 16384;
  at::Tensor output = at::empty(x.sizes(), x.options().memory_format(at::MemoryFormat::Contiguous));
  const at::Tensor rows = x.contiguous().view({x.size(0), -1, x.size(-1)});
  const at::Tensor results = output.view(rows.sizes());
  const std::int64_t height = std::max<std::int64_t>(kValues / x.size(-1), 1);
  const std::int64_t blocks = (rows.size(1) + height - 1) / height;
  for_each_block(at::kCPU, 0, rows.size(0) * blocks, [&](std::int64_t task) {
    const std::int64_t begin = task % blocks * height;
    const std::int64_t count = std::min(height, rows.size(1) - begin);
    const at::Tensor block = rows.select(0, task / blocks).narrow(0, begin, count).clone();
    results.select(0, task / blocks).narrow(0, begin, count).copy_(at::softmax(block, -1));
  });
  return output;
}

void run_softmax(torch::jit::Stack& stack) {
  at::Tensor output = blocked_softmax(torch::jit::pop(stack).toTensor());
  torch::jit::pack(stack, std::move(output));
}

void register_softmax() {
  static const torch::jit::RegisterOperators registered({torch::jit::Operator(
      "mcvol::softmax(Tensor x) -> Tensor", run_softmax, c10::AliasAnalysisKind::PURE_FUNCTION)});
}

/// Without dropout, and as many heads of keys as of queries.
bool is_plain(const Node* node) {
  if (node->inputs().size() != 8) return false;
  const auto rate = torch::jit::toIValue(node->input(4));
  const auto grouped = torch::jit::toIValue(node->input(7));
  return rate && rate->toDouble() == 0.0 && grouped && !grouped->toBool();
}

bool is_over_last_dimension(const Node* node) {
  if (node->kind() != c10::Symbol::fromQualString("aten::softmax")) return false;
  if (writes_into_arguments(node)) return false;
  const auto dim = torch::jit::toIValue(node->input(1));
  const auto type = torch::jit::toIValue(node->input(2));
  return dim && dim->isInt() && dim->toInt() == -1 && type && type->isNone();
}

/// By an operator of the node's inputs at these places.
void replace_by(torch::jit::Graph& graph, Node* node, const char* name,
                std::initializer_list<std::size_t> inputs) {
  Node* blocked = graph.create(c10::Symbol::fromQualString(name), 1);
  blocked->copyMetadata(node);
  for (const std::size_t n : inputs) blocked->addInput(node->input(n));
  blocked->insertBefore(node);
  blocked->output()->copyMetadata(node->output());
  node->output()->replaceAllUsesWith(blocked->output());
  node->destroy();
}

}  // namespace

void use_blocked_attention(const std::shared_ptr<torch::jit::Graph>& graph) {
  register_attention();
  for_each_node(graph->block(), [&](Node* node) {
    if (node->kind() == c10::Symbol::fromQualString("aten::scaled_dot_product_attention") &&
        is_plain(node)) {
      replace_by(*graph, node, "mcvol::attention", {0, 1, 2, 3, 5, 6});
    }
  });
}

void use_blocked_softmax(const std::shared_ptr<torch::jit::Graph>& graph) {
  register_softmax();
  for_each_node(graph->block(), [&](Node* node) {
    if (is_over_last_dimension(node)) replace_by(*graph, node, "mcvol::softmax", {0});
  });
}

}  // namespace mcvol
