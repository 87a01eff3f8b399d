#include "network/products/attention.h"

#include <string>
#include <vector>

#include "network/jit/graph_nodes.h"
#include "network/support/scripted_graph.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::normal_values;
using testing::relative_difference;

/// Of x [rows, heads, 12, 24] with whole keys x, and a constant mask m [12, 12] of about 0.
constexpr const char* kAttentions[] = {
    "torch.scaled_dot_product_attention(x, x, x)",
    "torch.scaled_dot_product_attention(x[:, :, :7], x, x * 2.0)",
    "torch.scaled_dot_product_attention(x, x[:, :1], x[:, :1, :, :5])",
    "torch.scaled_dot_product_attention(x, x, x, is_causal=True)",
    "torch.scaled_dot_product_attention(x, x, x, scale=0.3)",
    "torch.scaled_dot_product_attention(x, x, x, m)",
    "torch.scaled_dot_product_attention(x, x, x, m > 0.0)",
    "torch.scaled_dot_product_attention(x, x, x, m > 100.0)",
    "torch.scaled_dot_product_attention(x[:, 0], x[:, 0], x[:, 0])"};

bool holds_attention(const std::shared_ptr<torch::jit::Graph>& graph) {
  bool found = false;
  for_each_node(graph->block(), [&](const torch::jit::Node* node) {
    found =
        found || node->kind() == c10::Symbol::fromQualString("aten::scaled_dot_product_attention");
  });
  return found;
}

std::shared_ptr<torch::jit::Graph> plain_attention(const std::string& expression) {
  return testing::scripted_graph("x, m", expression, {normal_values({12, 12}, 2)});
}

std::shared_ptr<torch::jit::Graph> blocked_attention(const std::string& expression) {
  const auto graph = plain_attention(expression);
  use_blocked_attention(graph);
  return graph;
}

TEST(BlockedAttention, GivesWhatAtensGives) {
  for (const char* expression : kAttentions) {
    const auto graph = blocked_attention(expression);
    EXPECT_FALSE(holds_attention(graph)) << expression;
    const at::Tensor x = normal_values({3, 2, 12, 24}, 1);
    const at::Tensor expected = testing::run_graph(plain_attention(expression), x);
    const at::Tensor found = testing::run_graph(graph, x, 2);
    EXPECT_EQ(found.sizes(), expected.sizes()) << expression;
    EXPECT_LT(relative_difference(found, expected), 2e-6) << expression;
  }
}

TEST(BlockedAttention, CutsManyQueriesIntoBlocks) {
  for (const char* options : {"", ", is_causal=True"}) {
    const std::string expression =
        std::string("torch.scaled_dot_product_attention(x, x, x") + options + ")";
    const at::Tensor x = normal_values({2, 1, 777, 32}, 3);
    EXPECT_LT(relative_difference(testing::run_graph(blocked_attention(expression), x, 2),
                                  testing::run_graph(plain_attention(expression), x)),
              2e-6);
  }
}

TEST(BlockedAttention, ASampleHasTheSameBitsInAnyBatchOnAnyThreads) {
  for (const char* expression : kAttentions) {
    testing::expect_same_bits_in_any_batch(blocked_attention(expression),
                                           normal_values({5, 3, 12, 24}, 4), expression);
  }
  testing::expect_same_bits_in_any_batch(blocked_attention(kAttentions[0]),
                                         normal_values({3, 2, 777, 32}, 5), "of several blocks");
}

TEST(BlockedSoftmax, GivesWhatAtensGivesInDoublePrecision) {
  const auto graph = testing::scripted_graph("x", "torch.softmax(x, -1)");
  const auto in_blocks = graph->copy();
  use_blocked_softmax(in_blocks);
  for (const std::vector<std::int64_t>& sizes :
       {std::vector<std::int64_t>{7}, {3, 9}, {2, 3, 70, 343}, {1, 2, 20000}, {2, 0, 3}}) {
    const at::Tensor x = normal_values(sizes, 6, 3.0F);
    const at::Tensor found = testing::run_graph(in_blocks, x, 2);
    EXPECT_EQ(found.sizes(), x.sizes());
    EXPECT_LT(relative_difference(found, testing::run_graph(graph, x.to(at::kDouble))), 1e-6);
  }
}

TEST(BlockedSoftmax, ASampleHasTheSameBitsInAnyBatchOnAnyThreads) {
  const auto graph = testing::scripted_graph("x", "torch.softmax(x, -1)");
  use_blocked_softmax(graph);
  for (const std::vector<std::int64_t>& sizes :
       {std::vector<std::int64_t>{5, 9}, {5, 3, 71, 343}, {3, 2, 20001}}) {
    testing::expect_same_bits_in_any_batch(graph, normal_values(sizes, 7, 3.0F), "softmax");
  }
}

TEST(BlockedSoftmax, LeavesOtherDimensionsAndTypesAsTheyAre) {
  for (const char* expression : {"torch.softmax(x, 1)", "torch.softmax(x, -1, dtype=7)"}) {
    const auto graph = testing::scripted_graph("x", expression);
    use_blocked_softmax(graph);
    EXPECT_EQ(std::string(graph->outputs()[0]->node()->kind().toQualString()), "aten::softmax");
  }
}

TEST(BlockedAttention, LeavesDropoutAndGroupedHeadsAsTheyAre) {
  for (const char* options : {"dropout_p=0.2", "enable_gqa=True"}) {
    const std::string expression =
        std::string("torch.scaled_dot_product_attention(x, x, x, ") + options + ")";
    EXPECT_TRUE(holds_attention(blocked_attention(expression)));
  }
}

}  // namespace
}  // namespace mcvol
