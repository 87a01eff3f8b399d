#include "network/convolutions/unit_convolutions.h"

#include <string>
#include <vector>

#include "network/jit/graph_runner.h"
#include "network/support/scripted_graph.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::normal_values;

/// A 1x1x1 convolution of x with w and b, and what stands in its place.
struct UnitCase {
  std::shared_ptr<torch::jit::Graph> plain, product;

  UnitCase(const at::Tensor& weight, const at::Tensor& bias)
      : plain(testing::scripted_graph("x, w, b", "torch.conv3d(x, w, b)", {weight, bias})),
        product(plain->copy()) {
    use_matrix_products(product);
  }
};

std::string failure_of(const std::shared_ptr<torch::jit::Graph>& graph, const at::Tensor& x) {
  try {
    testing::run_graph(graph, x);
  } catch (const std::exception& error) {
    return reason_of(error);
  }
  return "no error";
}

TEST(UnitConvolution, IsTheConvolution) {
  const at::Tensor x = normal_values({3, 7, 50, 1, 1}, 1);
  const UnitCase of(normal_values({5, 7, 1, 1, 1}, 2), normal_values({5}, 3));
  EXPECT_LT(testing::relative_difference(testing::run_graph(of.product, x),
                                         testing::run_graph(of.plain, x)),
            1e-6);
}

TEST(UnitConvolution, TakesAnImageWithoutABatchAsPyTorchDoes) {
  const at::Tensor x = normal_values({7, 50, 2, 1}, 1);
  const UnitCase of(normal_values({5, 7, 1, 1, 1}, 2), normal_values({5}, 3));
  EXPECT_LT(testing::relative_difference(testing::run_graph(of.product, x),
                                         testing::run_graph(of.plain, x)),
            1e-6);
}

TEST(UnitConvolution, RefusesWhatPyTorchRefusesInItsWords) {
  const at::Tensor weight = normal_values({5, 7, 1, 1, 1}, 2);
  const std::vector<std::pair<std::vector<std::int64_t>, std::int64_t>> wrong = {
      {{3, 7, 50, 1, 1}, 1},  // a bias for all
      {{3, 7, 50, 1, 1}, 4},
      {{3, 6, 50, 1, 1}, 5},
      {{3, 8, 50, 1, 1}, 5},
      {{7, 50, 1}, 5}};
  for (const auto& [sizes, bias] : wrong) {
    const at::Tensor x = normal_values(sizes, 1);
    const UnitCase of(weight, normal_values({bias}, 3));
    const std::string expected = failure_of(of.plain, x);
    EXPECT_NE(expected, "no error");
    EXPECT_EQ(failure_of(of.product, x), expected);
  }
}

}  // namespace
}  // namespace mcvol
