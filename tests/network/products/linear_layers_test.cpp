#include "network/products/linear_layers.h"

#include "network/support/scripted_graph.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::normal_values;
using testing::run_graph;

const std::vector<std::vector<std::int64_t>> kInputs = {
    {5, 37},      {1, 37},        {3, 65, 37},   {2, 64, 37},
    {2, 130, 37}, {2, 9, 15, 37}, {3, 1, 1, 37}, {2, 5, 7, 3, 37}};

std::shared_ptr<torch::jit::Graph> linear(std::int64_t outputs, bool bias) {
  const at::Tensor weight = normal_values({outputs, 37}, 5);
  return bias ? testing::scripted_graph("x, w, b", "torch.linear(x, w, b)",
                                        {weight, normal_values({outputs}, 6)})
              : testing::scripted_graph("x, w", "torch.linear(x, w)", {weight});
}

std::shared_ptr<torch::jit::Graph> blocked(const std::shared_ptr<torch::jit::Graph>& graph) {
  const auto copy = graph->copy();
  use_blocked_linear_layers(copy);
  for (const torch::jit::Node* node : copy->nodes()) {
    EXPECT_NE(node->kind(), c10::Symbol::fromQualString("aten::linear"));
  }
  return copy;
}

TEST(BlockedLinearLayers, GiveWhatAtensGivesInDoublePrecision) {
  for (const auto& sizes : kInputs) {
    for (const std::int64_t outputs : {1, 8, 33}) {
      for (const bool bias : {false, true}) {
        const auto graph = linear(outputs, bias);
        const at::Tensor x = normal_values(sizes, 7);
        const at::Tensor weight = normal_values({outputs, 37}, 5).to(at::kDouble);
        at::Tensor expected = at::matmul(x.to(at::kDouble), weight.t());
        if (bias) expected = expected + normal_values({outputs}, 6).to(at::kDouble);
        EXPECT_LT(testing::relative_difference(run_graph(blocked(graph), x, 2), expected), 1e-6);
        EXPECT_LT(
            testing::relative_difference(run_graph(blocked(graph), x, 2), run_graph(graph, x, 2)),
            1e-6);
      }
    }
  }
}

TEST(BlockedLinearLayers, TakeAVectorAndStridedInputs) {
  const auto graph = linear(8, true);
  const at::Tensor vector = normal_values({37}, 8);
  EXPECT_LT(
      testing::relative_difference(run_graph(blocked(graph), vector), run_graph(graph, vector)),
      1e-6);
  const at::Tensor strided = normal_values({2, 37, 9, 11}, 8).permute({0, 2, 3, 1});
  EXPECT_LT(
      testing::relative_difference(run_graph(blocked(graph), strided), run_graph(graph, strided)),
      1e-6);
}

TEST(BlockedLinearLayers, ARowHasTheSameBitsInAnyBatchOnAnyThreads) {
  for (const auto& sizes : kInputs) {
    std::vector<std::int64_t> more = sizes;
    more[0] = 5;
    for (const std::int64_t outputs : {1, 8, 33}) {
      testing::expect_same_bits_in_any_batch(blocked(linear(outputs, true)), normal_values(more, 9),
                                             "linear, rank " + std::to_string(sizes.size()));
    }
  }
}

}  // namespace
}  // namespace mcvol
