#include "network/rewrites/joined_norm.h"

#include <string>
#include <vector>

#include "network/dropout/dropout_operator.h"
#include "network/support/scripted_graph.h"
#include <gtest/gtest.h>
#include <torch/csrc/jit/passes/common_subexpression_elimination.h>

// The operator that is put in falls back to PyTorch's on a CPU, so that graphs can be tried here.

namespace mcvol {
namespace {

using testing::normal_values;

#define JOINABLE_NORM "torch.instance_norm(x, a, b, None, None, True, 0.0, 1e-5, True)"

/// Of x [2, 4, …], a and b [4] parameters, s [4] slopes, d draws, p no positions.
std::shared_ptr<torch::jit::Graph> norm_graph(const std::string& expression) {
  register_dropout_operators();
  std::vector<MaskDraw> rows(2);
  rows[1].pass = 1;
  return testing::scripted_graph(
      "x, a, b, s, d, p", expression,
      {normal_values({4}, 1), normal_values({4}, 2), normal_values({4}, 3), make_draws(rows, 0),
       at::empty({0}, at::kLong)});
}

int norms_joined(const torch::jit::Graph& graph) {
  int count = 0;
  for (const torch::jit::Node* node : graph.nodes()) {
    if (std::string(node->kind().toQualString()) == "mcvol::norm") ++count;
  }
  return count;
}

void expect_same_after_joining(const std::string& expression, int joined) {
  const auto graph = norm_graph(expression);
  torch::jit::EliminateCommonSubexpression(graph);  // a result that is written twice is one
  const auto rewritten = graph->copy();
  join_norms(rewritten);
  EXPECT_EQ(norms_joined(*rewritten), joined) << expression;
  const at::Tensor x = normal_values({2, 4, 5, 6, 7}, 5, 2.0F);
  const at::Tensor expected = testing::run_graph(graph, x.clone());
  const at::Tensor found = testing::run_graph(rewritten, x.clone());
  EXPECT_LT(testing::relative_difference(found, expected), 1e-6) << expression;
}

TEST(JoinNorms, GivesWhatTheOperatorsGiveOneByOne) {
  expect_same_after_joining("torch.prelu(" JOINABLE_NORM ", s)", 1);
  expect_same_after_joining("mcvol.dropout(torch.relu(" JOINABLE_NORM "), d, p, 0.3, 2, 0, 0)", 1);
  expect_same_after_joining(
      "torch.leaky_relu(mcvol.dropout(" JOINABLE_NORM ", d, p, 0.3, 2, 0, 2), 0.1)", 1);
}

TEST(JoinNorms, AResultInTheMiddleThatOthersReadStays) {
  expect_same_after_joining("torch.relu(" JOINABLE_NORM ") + " JOINABLE_NORM, 1);
}

// Joined, the norm would read x after what stands between it and its activation has changed it.
TEST(JoinNorms, AGraphThatWritesInPlaceStaysAsItIs) {
  expect_same_after_joining(
      "mcvol.dropout(" JOINABLE_NORM ", d + x.exp_().sum().mul(0.0).to(4), p, 0.3, 2, 0, 0)", 0);
}

}  // namespace
}  // namespace mcvol
