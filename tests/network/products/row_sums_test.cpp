#include "network/products/row_sums.h"

#include <string>
#include <vector>

#include "network/jit/graph_nodes.h"
#include "network/support/scripted_graph.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::normal_values;
using testing::relative_difference;

/// Of x [rows, 8, d0, d1, d2].
constexpr const char* kReductions[] = {"torch.sum(x, [2, 3, 4])",
                                       "torch.sum(x, [1], True)",
                                       "torch.sum(x, [-1])",
                                       "torch.mean(x, [2, 3, 4], True)",
                                       "torch.mean(x, [4, 2])",
                                       "torch.mean(x, [1, 2, 3, 4])",
                                       "torch.mean(x.permute([0, 2, 3, 4, 1]), [-1], True)",
                                       "torch.var(x, [2, 3, 4], True, True)",
                                       "torch.var(x, [1], correction=0)",
                                       "torch.var(x, [3, 4], correction=2, keepdim=True)",
                                       "torch.std(x, [2, 3, 4], False)",
                                       "torch.std(x, [2, 3], True, True)",
                                       "torch.std(x, [1, 2], correction=None)",
                                       "torch.adaptive_avg_pool3d(x, [1, 1, 1])"};

bool holds_reduction(const std::shared_ptr<torch::jit::Graph>& graph) {
  bool found = false;
  for_each_node(graph->block(), [&](const torch::jit::Node* node) {
    for (const char* name : {"sum", "mean", "var", "std", "adaptive_avg_pool3d"}) {
      found = found || std::string("aten::") + name == node->kind().toQualString();
    }
  });
  return found;
}

std::shared_ptr<torch::jit::Graph> replaced(const std::string& expression) {
  const auto graph = testing::scripted_graph("x", expression);
  use_row_sums(graph);
  return graph;
}

TEST(RowSums, OfATensorWithoutDimensionsAndOfComplexOnesAreAtens) {
  const at::Tensor x = normal_values({2, 8, 5, 7, 9}, 3);
  for (const char* expression :
       {"torch.sum(x.mean(), [-1])", "torch.mean(x.mean(), [-1], True)",
        "torch.std(x.mean(), [-1], False)", "torch.var(torch.fft_fftn(x), [2, 3, 4], True)"}) {
    const at::Tensor expected = testing::run_graph(testing::scripted_graph("x", expression), x);
    const at::Tensor found = testing::run_graph(replaced(expression), x);
    EXPECT_EQ(found.sizes(), expected.sizes()) << expression;
    EXPECT_TRUE(at::allclose(found, expected, 1e-5, 1e-6, true)) << expression;
  }
}

TEST(RowSums, IntoATensorThatIsGivenAreAtens) {
  const at::Tensor x = normal_values({2, 8, 5, 7, 9}, 3);
  const auto graph = replaced("torch.mean(x, [2, 3], False, out=torch.ones([2, 8, 9]))");
  EXPECT_TRUE(at::allclose(testing::run_graph(graph, x), x.mean({2, 3}), 1e-5, 1e-6));
}

TEST(RowSums, GiveWhatAtensReductionsGiveInDoublePrecision) {
  for (const char* expression : kReductions) {
    const auto graph = testing::scripted_graph("x", expression);
    const auto rows = replaced(expression);
    EXPECT_FALSE(holds_reduction(rows)) << expression;
    for (const std::vector<std::int64_t>& sizes :
         {std::vector<std::int64_t>{2, 8, 5, 7, 9}, {1, 3, 33, 41, 37}, {3, 8, 3, 1, 4}}) {
      const at::Tensor x = normal_values(sizes, 1) + 2.0;
      const at::Tensor expected = testing::run_graph(graph, x.to(at::kDouble));
      const at::Tensor found = testing::run_graph(rows, x, 2);
      EXPECT_EQ(found.sizes(), expected.sizes()) << expression;
      EXPECT_EQ(found.scalar_type(), at::kFloat);
      EXPECT_LT(relative_difference(found, expected), 1e-7) << expression;
      EXPECT_LT(relative_difference(found, testing::run_graph(graph, x)), 1e-6) << expression;
    }
  }
}

TEST(RowSums, KeepTheTypesOfOtherNumbers) {
  const at::Tensor whole = at::arange(24).view({2, 3, 4});
  const auto graph = replaced("torch.sum(x, [2])");
  EXPECT_TRUE(testing::run_graph(graph, whole).equal(at::sum(whole, {2})));
  const at::Tensor wide = normal_values({2, 3, 4}, 1).to(at::kDouble);
  EXPECT_EQ(testing::run_graph(graph, wide).scalar_type(), at::kDouble);
  const at::Tensor narrow = wide.to(at::kBFloat16);
  EXPECT_EQ(testing::run_graph(graph, narrow).scalar_type(), at::kBFloat16);
}

TEST(RowSums, GiveWhatIsNoNumberAndNothingOfNothing) {
  const at::Tensor x = at::full({1, 2, 3}, INFINITY);
  x[0][0][0] = -INFINITY;
  const at::Tensor sums = testing::run_graph(replaced("torch.sum(x, [2])"), x);
  EXPECT_TRUE(sums[0][0].isnan().item<bool>());
  EXPECT_TRUE(sums[0][1].isinf().item<bool>());
  const at::Tensor none = at::empty({2, 3, 0});
  EXPECT_TRUE(testing::run_graph(replaced("torch.sum(x, [2])"), none).equal(at::zeros({2, 3})));
  EXPECT_TRUE(testing::run_graph(replaced("torch.mean(x, [2])"), none).isnan().all().item<bool>());
}

// A mean over the batch mixes passes, and one in another type is what its author asked for.
TEST(RowSums, LeaveOtherReductionsAsTheyAre) {
  for (const char* expression :
       {"x.mean()", "torch.mean(x, [0, 2])", "torch.sum(x, [0])", "torch.std(x, True)",
        "torch.sum(x, [2], dtype=7)", "torch.mean(x, [x.size(0)])",
        "torch.adaptive_avg_pool3d(x, [2, 1, 1])", "torch.sum(x)"}) {
    EXPECT_TRUE(holds_reduction(replaced(expression))) << expression;
  }
}

TEST(RowSums, ARowHasTheSameBitsInAnyBatchOnAnyThreads) {
  for (const char* expression : kReductions) {
    testing::expect_same_bits_in_any_batch(replaced(expression),
                                           normal_values({5, 8, 13, 11, 9}, 2), expression);
    testing::expect_same_bits_in_any_batch(replaced(expression),
                                           normal_values({2, 2, 45, 37, 41}, 3), expression);
  }
}

}  // namespace
}  // namespace mcvol
