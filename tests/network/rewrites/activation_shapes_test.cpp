// Parameters of a length that PyTorch refuses: our operators must neither read past their end nor
// make something of them.

#include <string>
#include <vector>

#include "network/dropout/dropout_operator.h"
#include "network/jit/graph_runner.h"
#include "network/rewrites/joined_activation.h"
#include "network/rewrites/joined_norm.h"
#include "network/support/scripted_graph.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::normal_values;
using Graph = torch::jit::Graph;

/// Of x [2, 4, …]: a [4], c [1] and e [3] parameters.
std::shared_ptr<Graph> graph_of_lengths(const std::string& expression) {
  const auto positive = [](std::int64_t length, unsigned seed) {
    return normal_values({length}, seed).square().add(0.1);
  };
  return testing::scripted_graph("x, a, c, e", expression,
                                 {positive(4, 1), positive(1, 2), positive(3, 3)});
}

/// Why the graph does not run; "no error" where it does.
std::string run_error(const std::shared_ptr<Graph>& graph, const at::Tensor& x) {
  try {
    testing::run_graph(graph, x);
  } catch (const std::exception& error) {
    return reason_of(error);
  }
  return "no error";
}

const std::vector<std::string>& wrong_lengths() {
  static const std::vector<std::string> expressions = {
      "torch.instance_norm(x, c, a, None, None, True, 0.0, 1e-5, True)",
      "torch.instance_norm(x, a, c, None, None, True, 0.0, 1e-5, True)",
      "torch.instance_norm(x, e, e, None, None, True, 0.0, 1e-5, True)",
      "torch.relu(torch.instance_norm(x, c, c, None, None, True, 0.0, 1e-5, True))",
      "torch.batch_norm(x, a, a, c, c, False, 0.0, 1e-5, True)",
      "torch.batch_norm(x, c, a, a, a, False, 0.0, 1e-5, True)",
      "torch.batch_norm(x, a, c, a, a, False, 0.0, 1e-5, True)",
      "torch.batch_norm(x, None, None, c, c, False, 0.0, 1e-5, True)",
      "torch.batch_norm(x, None, None, a, c, False, 0.0, 1e-5, True)",
      "torch.batch_norm(x, e, e, e, e, False, 0.0, 1e-5, True)",
      "torch.prelu(x * 2.0 + x, e)",
      "torch.prelu(torch.instance_norm(x, a, a, None, None, True, 0.0, 1e-5, True), e)"};
  return expressions;
}

TEST(ParametersOfAWrongLength, AreRefusedByAJoinedActivationAsByPyTorch) {
  const at::Tensor x = normal_values({2, 4, 5, 6, 7}, 4);
  for (const std::string& expression : wrong_lengths()) {
    const auto graph = graph_of_lengths(expression);
    const std::string expected = run_error(graph, x);
    EXPECT_NE(expected, "no error") << expression;
    const auto joined = graph->copy();
    join_activations(joined);
    EXPECT_EQ(run_error(joined, x), expected) << expression;
  }
}

TEST(ParametersOfAWrongLength, AreRefusedByAJoinedNormAsByPyTorch) {
  const at::Tensor x = normal_values({2, 4, 5, 6, 7}, 4);
  for (const std::string& expression : wrong_lengths()) {
    const auto graph = graph_of_lengths(expression);
    const auto joined = graph->copy();
    join_norms(joined);
    EXPECT_EQ(run_error(joined, x), run_error(graph, x)) << expression;
  }
}

// The bias is left out before a norm, which takes it away again.
TEST(ParametersOfAWrongLength, OfABiasBeforeAJoinedNormAreRefused) {
  const at::Tensor x = normal_values({2, 4, 5, 6, 7}, 4);
  const auto graph = testing::scripted_graph(
      "x, w, b",
      "torch.instance_norm(torch.conv3d(x, w, b), None, None, None, None, True, 0.0, 1e-5, True)",
      {normal_values({4, 4, 1, 1, 1}, 1), normal_values({3}, 2)});
  const auto joined = graph->copy();
  join_norms(joined);
  EXPECT_NE(run_error(joined, x), "no error");
  EXPECT_EQ(run_error(joined, x), run_error(graph, x));
}

TEST(ParametersOfAWrongLength, EmptyInputsAreNoMatterForTheKernels) {
  register_dropout_operators();
  for (const std::vector<std::int64_t>& sizes :
       std::vector<std::vector<std::int64_t>>{{0, 4, 5, 6, 7}, {2, 4, 0, 6, 7}}) {
    const at::Tensor x = at::empty(sizes);
    const auto graph =
        graph_of_lengths("torch.relu(torch.batch_norm(x, a, a, a, a, False, 0.0, 1e-5, True))");
    const auto joined = graph->copy();
    join_activations(joined);
    EXPECT_EQ(testing::run_graph(joined, x).sizes(), c10::IntArrayRef(sizes));
  }
}

// A learned vector that is added to, say: it has no channels, and one slope needs none.
TEST(ParametersOfAWrongLength, AreNoneOfAVectorWithOneSlope) {
  const at::Tensor x = normal_values({7}, 1);
  const auto graph = graph_of_lengths("torch.leaky_relu(x + x * 2.0, 0.1)");
  const auto joined = graph->copy();
  join_activations(joined);
  EXPECT_TRUE(testing::run_graph(joined, x).equal(testing::run_graph(graph, x)));
}

// Element masks of gathered voxels lie where the positions say: as many as there are voxels.
TEST(PositionsOfAnotherNumberThanVoxels, AreRefused) {
  register_dropout_operators();
  for (const char* const positions : {"[0, 3]", "[0, 1, 2, 3, 4, 5, 6]"}) {
    const auto graph = testing::scripted_graph(
        "x, d",
        std::string("mcvol.dropout(x, d, torch.tensor(") + positions + ", dtype=4), 0.3, 2, 0, 0)",
        {make_draws({MaskDraw{}}, 8)});
    const auto joined = graph->copy();
    join_activations(joined);
    const at::Tensor x = normal_values({1, 4, 5, 1, 1}, 1);
    EXPECT_NE(run_error(graph, x), "no error") << positions;
    EXPECT_EQ(run_error(joined, x), run_error(graph, x)) << positions;
  }
}

}  // namespace
}  // namespace mcvol
