#include "batched_products.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "network/device/block_loop.h"
#include "network/jit/graph_nodes.h"
#include "product_equation.h"
#include "row_sums.h"
#include <ATen/ExpandUtils.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/runtime/custom_operator.h>

namespace mcvol {
namespace {

using torch::jit::Graph;
using torch::jit::Node;
using torch::jit::Value;

/// Multiply-adds of a block, at the least.
constexpr std::int64_t kBlockWork = std::int64_t{1} << 21;

/// first [rows, inner], second [inner, columns].
at::Tensor product_by_values(const at::Tensor& first, const at::Tensor& second) {
  at::Tensor output = at::empty({first.size(0), second.size(1)}, first.options());
  const at::Tensor columns = second.t().contiguous();
  for_each_block(at::kCPU, 0, first.size(0), [&](std::int64_t row) {
    output.select(0, row).copy_(row_sums(columns * first.select(0, row), {1}, false));
  });
  return output;
}

/// Of ranks from 2 on, one at least from 3 on.
at::Tensor product_by_blocks(const at::Tensor& first, const at::Tensor& second) {
  const std::int64_t rows = first.size(-2), inner = first.size(-1), columns = second.size(-1);
  const auto batch = at::infer_size(batch_sizes(first), batch_sizes(second));
  const at::Tensor left = first.expand(matrix_sizes(batch, rows, inner));
  const at::Tensor right = second.expand(matrix_sizes(batch, inner, columns));
  at::Tensor output = at::empty(matrix_sizes(batch, rows, columns), first.options());
  if (output.numel() == 0) return output;
  const at::Tensor results = output.view({-1, rows, columns});
  const std::int64_t height = rows_of_block(rows, inner, columns);
  const std::int64_t blocks = (rows + height - 1) / height;
  for_each_block(at::kCPU, 0, results.size(0) * blocks, [&](std::int64_t task) {
    const std::int64_t matrix = task / blocks, begin = task % blocks * height;
    const std::int64_t count = std::min(height, rows - begin);
    const at::Tensor block =
        at::mm(copied_rows(left, matrix, begin, count), copied_rows(right, matrix, 0, inner));
    results.select(0, matrix).narrow(0, begin, count).copy_(block);
  });
  return output;
}

bool is_vector(const at::Tensor& tensor) { return tensor.dim() == 1; }

void run_matmul(torch::jit::Stack& stack) {
  const auto arguments = torch::jit::last(stack, 2);
  at::Tensor output = batched_product(arguments[0].toTensor(), arguments[1].toTensor());
  torch::jit::drop(stack, 2);
  torch::jit::pack(stack, std::move(output));
}

void run_einsum(torch::jit::Stack& stack) {
  const auto arguments = torch::jit::last(stack, 3);
  at::Tensor output = product_by_equation(arguments[0].toStringRef(), arguments[1].toTensor(),
                                          arguments[2].toTensor());
  torch::jit::drop(stack, 3);
  torch::jit::pack(stack, std::move(output));
}

void register_products() {
  static const torch::jit::RegisterOperators registered(
      {torch::jit::Operator("mcvol::matmul(Tensor first, Tensor second) -> Tensor", run_matmul,
                            c10::AliasAnalysisKind::PURE_FUNCTION),
       torch::jit::Operator("mcvol::einsum(str equation, Tensor first, Tensor second) -> Tensor",
                            run_einsum, c10::AliasAnalysisKind::PURE_FUNCTION)});
}

Value* insert_operator(Graph& graph, const char* name, const std::vector<Value*>& inputs) {
  Node* node = graph.create(c10::Symbol::fromQualString(name), 1);
  for (Value* input : inputs) node->addInput(input);
  return graph.insertNode(node)->output();
}

Value* product_of(Graph& graph, Value* first, Value* second) {
  const auto matrix = constant_tensor(second);
  if (!matrix || matrix->dim() != 2 || matrix->scalar_type() != at::kFloat) {
    return insert_operator(graph, "mcvol::matmul", {first, second});
  }
  Value* weight = graph.insertConstant(matrix->t().contiguous());
  return graph.insert(c10::aten::linear, {first, weight, graph.insertConstant(c10::IValue())});
}

/// beta * addend + alpha * product.
Value* sum_with_product(Graph& graph, Node* node) {
  const auto beta = torch::jit::toIValue(node->input(3));
  if (!beta) return nullptr;
  Value* product = product_of(graph, node->input(1), node->input(2));
  product = graph.insert(c10::aten::mul, {product, node->input(4)});
  // Of nothing: what is no number there is none here.
  if (beta->toScalar().equal(0)) return product;
  return graph.insert(c10::aten::add,
                      {graph.insert(c10::aten::mul, {node->input(0), node->input(3)}), product});
}

Value* einsum_of(Graph& graph, Node* node) {
  const auto equation = torch::jit::toIValue(node->input(0));
  const Node* operands = node->input(1)->node();
  if (!equation || operands->kind() != c10::prim::ListConstruct || operands->inputs().size() != 2 ||
      !is_product(equation->toStringRef())) {
    return nullptr;
  }
  return insert_operator(graph, "mcvol::einsum",
                         {node->input(0), operands->input(0), operands->input(1)});
}

/// What replaces a node, inserted before it; null where it stays.
Value* replacement(Graph& graph, Node* node) {
  if (writes_into_arguments(node)) return nullptr;
  const std::string_view name = node->kind().toQualString();
  if (name == "aten::matmul" || name == "aten::bmm" || name == "aten::mm") {
    return product_of(graph, node->input(0), node->input(1));
  }
  if (name == "aten::baddbmm" || name == "aten::addmm") return sum_with_product(graph, node);
  return name == "aten::einsum" ? einsum_of(graph, node) : nullptr;
}

}  // namespace

std::int64_t rows_of_block(std::int64_t rows, std::int64_t inner, std::int64_t columns) {
  constexpr std::int64_t kVector = 8;
  const std::int64_t least = kBlockWork / std::max<std::int64_t>(inner * columns, 1) + 1;
  const std::int64_t blocks = std::max<std::int64_t>(rows / least, 1);
  return ((rows + blocks - 1) / blocks + kVector - 1) / kVector * kVector;
}

std::vector<std::int64_t> matrix_sizes(at::IntArrayRef batch, std::int64_t rows,
                                       std::int64_t columns) {
  std::vector<std::int64_t> sizes = batch.vec();
  sizes.insert(sizes.end(), {rows, columns});
  return sizes;
}

at::IntArrayRef batch_sizes(const at::Tensor& matrices) {
  return matrices.sizes().slice(0, static_cast<std::size_t>(matrices.dim() - 2));
}

at::Tensor copied_rows(const at::Tensor& matrices, std::int64_t matrix, std::int64_t begin,
                       std::int64_t count) {
  std::int64_t offset = matrices.storage_offset() + begin * matrices.stride(-2);
  for (std::int64_t d = matrices.dim() - 3; d >= 0; --d) {
    offset += matrix % matrices.size(d) * matrices.stride(d);
    matrix /= matrices.size(d);
  }
  return matrices
      .as_strided({count, matrices.size(-1)}, {matrices.stride(-2), matrices.stride(-1)}, offset)
      .clone(at::MemoryFormat::Contiguous);
}

at::Tensor batched_product(const at::Tensor& first, const at::Tensor& second) {
  if (first.dim() == 0 || second.dim() == 0)
    return at::matmul(first, second);  // says what is wrong
  const at::Tensor left = is_vector(first) ? first.unsqueeze(0) : first;
  const at::Tensor right = is_vector(second) ? second.unsqueeze(1) : second;
  TORCH_CHECK(left.size(-1) == right.size(-2), "a product of ", left.sizes(), " and ",
              right.sizes(), ": the inner sizes differ");
  TORCH_CHECK(left.scalar_type() == right.scalar_type(), "a product of ", left.scalar_type(),
              " and ", right.scalar_type(), " values");
  at::Tensor output = left.dim() == 2 && right.dim() == 2 ? product_by_values(left, right)
                                                          : product_by_blocks(left, right);
  if (is_vector(second)) output = output.squeeze(-1);
  return is_vector(first) ? output.squeeze(is_vector(second) ? -1 : -2) : output;
}

void use_batched_products(const std::shared_ptr<Graph>& graph) {
  register_products();
  for_each_node(graph->block(), [&](Node* node) {
    const torch::jit::WithInsertPoint at(node);
    Value* result = replacement(*graph, node);
    if (result == nullptr) return;
    result->node()->copyMetadata(node);
    result->copyMetadata(node->output());
    node->output()->replaceAllUsesWith(result);
    node->destroy();
  });
}

}  // namespace mcvol
