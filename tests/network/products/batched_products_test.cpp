#include "network/products/batched_products.h"

#include <string>
#include <vector>

#include "network/jit/graph_nodes.h"
#include "network/products/product_equation.h"
#include "network/support/scripted_graph.h"
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::normal_values;
using testing::relative_difference;

using Sizes = std::vector<std::int64_t>;

constexpr double kProductRounding = 2e-6;  // of the largest value, against fp64

/// A product of activations by its sizes.
struct Product {
  Sizes first, second;
};

const std::vector<Product> kProducts = {
    {{5}, {5}},
    {{5}, {5, 7}},
    {{7, 5}, {5}},
    {{7, 5}, {5, 9}},
    {{3, 7, 5}, {5}},
    {{5}, {3, 5, 7}},
    {{3, 7, 5}, {3, 5, 9}},
    {{3, 7, 5}, {5, 9}},
    {{7, 5}, {3, 5, 9}},
    {{2, 3, 70, 24}, {2, 3, 24, 70}},
    {{2, 1, 11, 6}, {3, 6, 13}},
    {{1, 3, 11, 6}, {2, 1, 6, 13}},
    {{2, 3, 4, 11, 6}, {4, 6, 1}},
    {{2, 700, 160}, {2, 160, 150}},  // of several blocks
    {{2, 0, 5}, {2, 5, 3}},
    {{2, 4, 0}, {2, 0, 3}},
};

TEST(BatchedProducts, GiveWhatAtensMatmulGivesInDoublePrecision) {
  for (const Product& sizes : kProducts) {
    const at::Tensor first = normal_values(sizes.first, 1), second = normal_values(sizes.second, 2);
    const at::Tensor expected = at::matmul(first.to(at::kDouble), second.to(at::kDouble));
    const at::Tensor found = batched_product(first, second);
    EXPECT_EQ(found.sizes(), expected.sizes());
    EXPECT_LT(relative_difference(found, expected), kProductRounding)
        << first.sizes() << second.sizes();
  }
}

TEST(BatchedProducts, TakeStridedAndRepeatedOperands) {
  const at::Tensor first = normal_values({2, 3, 24, 70}, 1).transpose(2, 3);
  const at::Tensor second = normal_values({3, 1, 50, 24}, 2).permute({1, 0, 3, 2});
  EXPECT_LT(relative_difference(batched_product(first, second),
                                at::matmul(first.to(at::kDouble), second.to(at::kDouble))),
            kProductRounding);
  const at::Tensor repeated = first.narrow(0, 0, 1).expand({4, 3, 70, 24});
  EXPECT_TRUE(batched_product(repeated, second)
                  .equal(batched_product(first.narrow(0, 0, 1), second).expand({4, 3, 70, 50})));
}

TEST(BatchedProducts, RefuseWhatAtensMatmulRefuses) {
  for (const Product& sizes : {Product{{2, 3}, {2, 3}}, Product{{2, 3, 4}, {3, 4, 5}},
                               Product{{}, {2, 3}}, Product{{2, 4, 5}, {4}}}) {
    const at::Tensor first = normal_values(sizes.first, 1), second = normal_values(sizes.second, 2);
    EXPECT_THROW(at::matmul(first, second), c10::Error);
    EXPECT_THROW(batched_product(first, second), c10::Error);
  }
}

TEST(BatchedProducts, CutRowsIntoBlocksOfAboutTheSameSize) {
  EXPECT_EQ(rows_of_block(343, 24, 343), 343 + 1);  // not worth two tasks
  EXPECT_EQ(rows_of_block(600, 24, 343), 304);
  EXPECT_EQ(rows_of_block(5, 1000, 100000), 8);
  EXPECT_EQ(rows_of_block(7, 0, 0), 8);
}

const std::vector<std::string> kProductEquations = {"blxd,blyd->blxy",
                                                    "bhxy,bhyd->bhxd",
                                                    "bij,bjk->bik",
                                                    "bij,bjk",
                                                    "bij,bkj->kib",
                                                    "bcd,ce->bed",
                                                    "ce,bcd->bed",
                                                    "bi,bj->bij",
                                                    "bi,bi->b",
                                                    "bi,ib->b",
                                                    "ij,jk->ik",
                                                    "ij,ji->",
                                                    "b i j, b j k -> b k i",
                                                    "Bij,Bjk->ikB"};

/// Sizes of the letters of an operand.
Sizes sizes_of(const std::string& letters) {
  Sizes sizes;
  for (const char letter : letters) {
    if (letter != ' ') sizes.push_back(3 + (letter * 7) % 11);
  }
  return sizes;
}

Product operands_of(const std::string& equation) {
  const std::size_t comma = equation.find(',');
  return {sizes_of(equation.substr(0, comma)),
          sizes_of(equation.substr(comma + 1, equation.find("->") - comma - 1))};
}

TEST(ProductEquations, GiveWhatAtensEinsumGivesInDoublePrecision) {
  for (const std::string& equation : kProductEquations) {
    ASSERT_TRUE(is_product(equation)) << equation;
    const Product sizes = operands_of(equation);
    const at::Tensor first = normal_values(sizes.first, 1), second = normal_values(sizes.second, 2);
    const at::Tensor expected =
        at::einsum(equation, {first.to(at::kDouble), second.to(at::kDouble)});
    const at::Tensor found = product_by_equation(equation, first, second);
    EXPECT_EQ(found.sizes(), expected.sizes()) << equation;
    EXPECT_LT(relative_difference(found, expected), kProductRounding) << equation;
  }
}

TEST(ProductEquations, RepeatWhatIsOfSizeOne) {
  const at::Tensor first = normal_values({1, 3, 4}, 1), second = normal_values({5, 1, 6}, 2);
  const at::Tensor expected =
      at::einsum("bij,bjk->bik", {first.to(at::kDouble), second.to(at::kDouble)});
  EXPECT_LT(relative_difference(product_by_equation("bij,bjk->bik", first, second), expected),
            kProductRounding);
}

TEST(ProductEquations, AreNoOthers) {
  for (const char* equation : {"bij->bji", "bij,bjk,bkl->bil", "...ij,...jk->...ik", "bii,bij->bj",
                               "bij,bjk->bi", "bij,bjk->bikz", "bij,bjk->biik", "bij,bjk->b1k"}) {
    EXPECT_FALSE(is_product(equation)) << equation;
  }
}

/// The graph as it is after use_batched_products().
std::shared_ptr<torch::jit::Graph> with_products(const std::shared_ptr<torch::jit::Graph>& graph) {
  const auto copy = graph->copy();
  use_batched_products(copy);
  return copy;
}

bool holds_operator_named(const std::shared_ptr<torch::jit::Graph>& graph,
                          const std::string& kind) {
  bool found = false;
  for_each_node(graph->block(), [&](const torch::jit::Node* node) {
    found = found || kind == node->kind().toQualString();
  });
  return found;
}

/// Of x [rows, 8, tokens] and a constant matrix m [8, 8].
constexpr const char* kExpressions[] = {"torch.matmul(x, x.transpose(1, 2))",
                                        "torch.matmul(m, x)",
                                        "torch.matmul(x.transpose(1, 2), m)",
                                        "torch.matmul(x[:, :, 0], m)",
                                        "torch.bmm(x, x.transpose(1, 2))",
                                        "torch.baddbmm(x, x[:, :, :8], x, beta=0.3, alpha=0.7)",
                                        "torch.baddbmm(x, x[:, :, :8], x, beta=0)",
                                        "torch.addmm(x[:, :, 0], x[:, :, 1], m)",
                                        "torch.einsum(\"bct,bcs->bts\", [x, x])",
                                        "torch.einsum(\"bct,ce->bet\", [x, m])",
                                        "torch.einsum(\"ce,bct->bet\", [m, x])"};

TEST(BatchedProducts, ReplaceTheOperatorsThatAreSuch) {
  for (const char* expression : kExpressions) {
    const auto graph = testing::scripted_graph("x, m", expression, {normal_values({8, 8}, 2)});
    const auto replaced = with_products(graph);
    for (const char* name : {"aten::matmul", "aten::bmm", "aten::mm", "aten::baddbmm",
                             "aten::addmm", "aten::einsum"}) {
      EXPECT_FALSE(holds_operator_named(replaced, name)) << expression;
    }
    const at::Tensor x = normal_values({3, 8, 21}, 3);
    EXPECT_LT(relative_difference(testing::run_graph(replaced, x, 2), testing::run_graph(graph, x)),
              kProductRounding)
        << expression;
  }
}

TEST(BatchedProducts, LeaveOtherEquationsAsTheyAre) {
  const auto graph = testing::scripted_graph("x", "torch.einsum(\"bii->bi\", [x])");
  EXPECT_TRUE(holds_operator_named(with_products(graph), "aten::einsum"));
}

TEST(BatchedProducts, ASampleHasTheSameBitsInAnyBatchOnAnyThreads) {
  for (const char* expression : kExpressions) {
    const auto graph = testing::scripted_graph("x, m", expression, {normal_values({8, 8}, 2)});
    const auto replaced = graph->copy();
    use_batched_products(replaced);
    if (holds_operator_named(replaced, "aten::linear"))
      continue;  // of tests/network/rewrites/linear_layers_test
    for (const std::int64_t tokens : {9, 333}) {
      testing::expect_same_bits_in_any_batch(replaced, normal_values({5, 8, tokens}, 4),
                                             expression);
    }
  }
}

// Neither rows nor columns may matter: either may be samples.
TEST(BatchedProducts, AValueOfTwoMatricesIsASumByItself) {
  const at::Tensor first = normal_values({37, 130}, 5), second = normal_values({130, 41}, 6);
  const at::Tensor whole = batched_product(first, second);
  for (const std::int64_t begin : {0, 1, 17, 36}) {
    const at::Tensor rows = first.narrow(0, begin, 37 - begin).clone();
    EXPECT_TRUE(batched_product(rows, second).equal(whole.narrow(0, begin, 37 - begin)));
    const at::Tensor columns = second.narrow(1, begin, 41 - begin).clone();
    EXPECT_TRUE(batched_product(first, columns).equal(whole.narrow(1, begin, 41 - begin)));
  }
}

}  // namespace
}  // namespace mcvol
