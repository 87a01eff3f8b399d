#include "network/rewrites/invariant_operators.h"

#include <cmath>
#include <limits>
#include <ostream>
#include <string>

#include "network/support/scripted_graph.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::normal_values;
using testing::scripted_graph;

/// An expression of x and of the tensors a (8 values), m (8 x 8) and k (8 x 8 x 3 x 3 x 3).
struct Operator {
  const char* expression;
  /// Of what is absolute in its result: where it takes the difference of numbers near 1.
  double absolute = 0.0;
};

void PrintTo(const Operator& of, std::ostream* stream) { *stream << of.expression; }

std::shared_ptr<torch::jit::Graph> expression_graph(const std::string& expression) {
  return scripted_graph(
      "x, a, m, k", expression,
      {normal_values({8}, 1), normal_values({8, 8}, 2), normal_values({8, 8, 3, 3, 3}, 3, 0.1F)});
}

bool holds(const std::shared_ptr<torch::jit::Graph>& graph, const std::string& kind) {
  for (const torch::jit::Node* node : graph->nodes()) {
    if (kind == node->kind().toQualString()) return true;
  }
  return false;
}

/// What a run on a CPU makes of a graph; expects it to be free of operators that may vary.
std::shared_ptr<torch::jit::Graph> invariant(const std::shared_ptr<torch::jit::Graph>& graph) {
  const auto copy = graph->copy();
  use_invariant_operators(copy);
  EXPECT_EQ(run_variant_operators_serially(copy), std::vector<std::string>{});
  return copy;
}

/// Ordinary and extreme values in a column of 3 channels, [rows, 3, …].
at::Tensor extreme_values() {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::vector<float> values = {0.0F,   -0.0F, 1e-30F, -1e-30F, 1e-7F,     -1e-7F,     0.5F,
                               -0.5F,  1.0F,  -1.0F,  5.0F,    -5.0F,     19.9F,      20.1F,
                               -20.1F, 88.0F, -88.0F, 89.5F,   -89.5F,    104.0F,     -104.0F,
                               1e4F,   -1e4F, 1e6F,   -1e6F,   kInfinity, -kInfinity, NAN};
  for (float x = -12.0F; x < 12.0F; x += 0.037F) values.push_back(x);
  while (values.size() % 15 != 0) values.push_back(0.25F);
  const auto columns = static_cast<std::int64_t>(values.size()) / 15;
  return at::tensor(values).view({1, 3, 5, columns, 1});
}

class ExpandedActivation : public ::testing::TestWithParam<Operator> {};

/// Values of ATen's operator: each its own relative error, none at infinities and NaN.
TEST_P(ExpandedActivation, GivesWhatAtensOperatorGivesAlsoAtTheExtremes) {
  const auto graph = expression_graph(GetParam().expression);
  for (const at::Tensor& x : {extreme_values(), normal_values({2, 3, 7, 5, 3}, 4, 4.0F)}) {
    const at::Tensor expected = testing::run_graph(graph, x).flatten().contiguous();
    const at::Tensor found = testing::run_graph(invariant(graph), x).flatten().contiguous();
    const at::Tensor input = x.flatten().contiguous();
    ASSERT_EQ(found.sizes(), expected.sizes());
    for (std::int64_t n = 0; n < found.numel(); ++n) {
      const double a = found.const_data_ptr<float>()[n];
      const double b = expected.const_data_ptr<float>()[n];
      if (std::isnan(b) && std::isnan(a)) continue;
      if (std::isinf(b) && a == b) continue;
      const double in = input.const_data_ptr<float>()[n];
      // Its gelu of infinity is NaN on processors with AVX-512 (seen on an AMD EPYC), infinity on
      // others; the limit is right everywhere.
      if (std::isnan(b) && std::isinf(in)) {
        EXPECT_EQ(a, in);
        continue;
      }
      // Below the smallest normal number fewer digits are left.
      const double tolerance = 1e-6 * std::abs(b) + GetParam().absolute + 1e-38;
      EXPECT_LE(std::abs(a - b), tolerance) << "x = " << in << ": " << a << ", ATen " << b;
    }
  }
}

TEST_P(ExpandedActivation, IsMadeOfOperatorsThatDoNotVary) {
  const std::string expression = GetParam().expression;
  const std::string name = expression.substr(6, expression.find('(') - 6);
  const auto graph = expression_graph(expression);
  ASSERT_TRUE(holds(graph, "aten::" + name));
  EXPECT_FALSE(holds(invariant(graph), "aten::" + name));
}

INSTANTIATE_TEST_SUITE_P(
    Operators, ExpandedActivation,
    ::testing::Values(
        Operator{"torch.sigmoid(x)"}, Operator{"torch.silu(x)"}, Operator{"torch.elu(x)"},
        Operator{"torch.elu(x, 0.7, 1.3, 0.9)"}, Operator{"torch.selu(x)"},
        Operator{"torch.celu(x)"}, Operator{"torch.celu(x, 2.5)"}, Operator{"torch.softplus(x)"},
        Operator{"torch.softplus(x, 3.0, 7.0)"}, Operator{"torch.mish(x)"},
        Operator{"torch.gelu(x)", 1e-6}, Operator{"torch.gelu(x, approximate=\"tanh\")", 2e-6},
        Operator{"torch.softmax(x, 1)"}, Operator{"torch.maximum(x, x * x)"},
        Operator{"torch.minimum(x, x * x)"}, Operator{"torch.clamp(x, x * 0.3, x * x)"}));

TEST(ExpandedSum, GivesWhatAtensOperatorGives) {
  for (const char* expression :
       {"torch.add(x, x * x, alpha=0.3)", "torch.add(x, 0.7, alpha=0.3)",
        "torch.sub(x, x * x, alpha=0.3)", "torch.rsub(x, x * x, alpha=0.3)",
        "torch.rsub(x, 0.7, alpha=0.3)"}) {
    const auto graph = expression_graph(expression);
    const at::Tensor x = normal_values({2, 3, 7, 5, 3}, 4, 4.0F);
    EXPECT_LE(testing::relative_difference(testing::run_graph(invariant(graph), x),
                                           testing::run_graph(graph, x)),
              1e-6)
        << expression;
  }
}

class InvariantOperator : public ::testing::TestWithParam<const char*> {};

TEST_P(InvariantOperator, ARowHasTheSameBitsInAnyBatchOnAnyThreads) {
  const auto graph = expression_graph(GetParam());
  // Odd sizes, and so many values that the threads share some batches and others not.
  testing::expect_same_bits_in_any_batch(invariant(graph), normal_values({5, 8, 13, 11, 9}, 5),
                                         GetParam());
}

TEST_P(InvariantOperator, ALargeRowHasTheSameBitsOnAnyThreads) {
  const auto graph = expression_graph(GetParam());
  testing::expect_same_bits_in_any_batch(invariant(graph), normal_values({2, 8, 19, 21, 17}, 6),
                                         GetParam());
}

INSTANTIATE_TEST_SUITE_P(
    Activations, InvariantOperator,
    ::testing::Values("torch.sigmoid(x)", "torch.silu(x)", "torch.elu(x, 0.7, 1.3, 0.9)",
                      "torch.selu(x)", "torch.celu(x, 2.5)", "torch.softplus(x, 3.0, 7.0)",
                      "torch.mish(x)", "torch.gelu(x, approximate=\"tanh\")", "torch.gelu(x)",
                      "torch.softmax(x, 1)", "torch.log_softmax(x, 1)", "torch.log_softmax(x, 4)",
                      "torch.relu(x)", "torch.leaky_relu(x, 0.1)", "torch.prelu(x, a)",
                      "torch.hardtanh(x)", "torch.relu6(x)", "torch.hardswish(x)",
                      "torch.hardsigmoid(x)", "torch.threshold(x, 0.1, 0.2)"));

INSTANTIATE_TEST_SUITE_P(
    Elementwise, InvariantOperator,
    ::testing::Values("torch.exp(x)", "torch.expm1(x)", "torch.log(torch.abs(x) + 0.1)",
                      "torch.log1p(torch.abs(x))", "torch.sqrt(torch.abs(x))",
                      "torch.rsqrt(torch.abs(x) + 0.1)", "torch.reciprocal(x)", "torch.square(x)",
                      "torch.sin(x)", "torch.cos(x)", "torch.tanh(x)", "torch.erf(x)",
                      "torch.addcmul(x, x, x, value=0.3)", "x / (x * x + 1.3)", "1.0 - x",
                      "torch.clamp(x, -0.5, 0.7)", "torch.maximum(x, x * 0.3)",
                      "torch.where(x > 0.1, x * 3.0, x - 1.0)"));

INSTANTIATE_TEST_SUITE_P(
    Others, InvariantOperator,
    ::testing::Values(
        "torch.layer_norm(x, [x.size(4)])",
        "torch.layer_norm(x.permute([0, 2, 3, 4, 1]), [8], a, a)",
        "torch.batch_norm(x, a, a, a, torch.abs(a), False, 0.1, 1e-5, False)",
        "torch.group_norm(x, 4, a, a)", "torch.group_norm(x, 1)",
        "torch.group_norm(x.permute([0, 1, 4, 3, 2]), 2, a, a)",
        "torch.instance_norm(x, a, a, None, None, True, 0.1, 1e-5, False)",
        "torch.avg_pool3d(x, [3, 3, 3], [2, 2, 2], [1, 1, 1])",
        "torch.max_pool3d(x, [3, 3, 3], [2, 2, 2], [1, 1, 1])",
        "torch.upsample_nearest3d(x, None, [2.0, 2.0, 2.0])",
        "torch.upsample_trilinear3d(x, None, False, [2.0, 2.0, 2.0])",
        "torch.upsample_trilinear3d(x, [9, 14, 20], True)",
        "torch.conv3d(x, k, a, [1, 1, 1], [1, 1, 1])", "torch.conv3d(x, k, None, [2, 2, 2])",
        "torch.conv_transpose3d(x, k, a, [2, 2, 2], [1, 1, 1])",
        "torch.linear(x.permute([0, 2, 3, 4, 1]), m, a)", "torch.matmul(x, x.transpose(3, 4))",
        "torch.matmul(x.transpose(1, 4), m)", "torch.einsum(\"bcdhw,ce->bedhw\", [x, m])",
        "torch.scaled_dot_product_attention(x, x, x)", "torch.std(x, [2, 3, 4], True, True)",
        "x.mean([2, 3, 4])", "torch.adaptive_avg_pool3d(x, [1, 1, 1])",
        "torch.adaptive_avg_pool3d(x, [2, 3, 4])", "torch.reflection_pad3d(x, [1, 2, 1, 1, 0, 1])",
        "torch.cat([x, x[:, 1:3]], 1)"));

TEST(VariantOperators, AreNamedOnceEachInAlphabeticalOrder) {
  const auto graph =
      expression_graph("torch.cumsum(x, 2) + x.mean() + torch.cumsum(x, 3) * torch.softmax(x, 2)");
  use_invariant_operators(graph);
  EXPECT_EQ(run_variant_operators_serially(graph),
            (std::vector<std::string>{"aten::cumsum", "aten::mean", "aten::softmax"}));
}

// What a trace computes with sizes, as SwinUNETR's does.
TEST(VariantOperators, AreNotThoseOfSizes) {
  const auto graph = expression_graph("x");
  torch::jit::Node* output = graph->return_node();
  const torch::jit::WithInsertPoint at(output);
  torch::jit::Value* x = graph->inputs()[0];
  torch::jit::Value* size = graph->insert(c10::aten::size, {x, 2});
  torch::jit::Value* number =
      graph->insertNode(graph->create(c10::prim::NumToTensor, {size}))->output();
  torch::jit::Value* rest = graph->insert(c10::aten::remainder, {number, 7});
  torch::jit::Value* zeros = graph->insert(c10::aten::rsub, {rest, 7});
  torch::jit::Value* rounded = graph->insert(c10::aten::remainder, {zeros, 7});
  torch::jit::Value* voxels = graph->insert(c10::aten::Int, {rounded});
  output->replaceInput(0, graph->insert(c10::aten::mul, {x, voxels}));
  use_invariant_operators(graph);
  EXPECT_EQ(run_variant_operators_serially(graph), std::vector<std::string>{});
  EXPECT_FALSE(holds(graph, "mcvol::serial_begin"));
  const at::Tensor image = normal_values({1, 8, 9, 3, 3}, 7);
  EXPECT_TRUE(testing::run_graph(graph, image).equal(image * 5));
  output->replaceInput(0, graph->insert(c10::aten::remainder, {x, 0.7}));
  EXPECT_EQ(run_variant_operators_serially(graph), std::vector<std::string>{"aten::remainder"});
}

// One row at a time, which is how passes then run.
TEST(VariantOperators, GiveTheSameBitsOnAnyThreadsAllTheSame) {
  for (const char* expression :
       {"x.mean()", "torch.cumsum(x, 2)", "torch.softmax(x, 2)", "torch.std(x, [0, 2, 3, 4])",
        "torch.einsum(\"...hw,...hv->...wv\", [x, x])", "torch.norm(x)"}) {
    const auto graph = expression_graph(expression);
    use_invariant_operators(graph);
    EXPECT_FALSE(run_variant_operators_serially(graph).empty()) << expression;
    const at::Tensor x = normal_values({1, 8, 19, 21, 17}, 7);
    const at::Tensor expected = testing::run_graph(graph, x);
    for (const int threads : {2, 3, 5}) {
      EXPECT_TRUE(testing::run_graph(graph, x, threads).equal(expected))
          << expression << " on " << threads << " threads";
    }
  }
}

}  // namespace
}  // namespace mcvol
