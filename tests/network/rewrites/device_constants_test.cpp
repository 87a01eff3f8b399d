#include "network/rewrites/device_constants.h"

#include "mcvol/error/error.h"

#include <string>
#include <vector>

#include "network/device/gpu_fixture.h"
#include "network/jit/graph_nodes.h"
#include "network/support/scripted_graph.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::normal_values;

/// A convolution, then a batch norm whose statistics half precision cannot hold.
std::shared_ptr<torch::jit::Graph> statistics_graph() {
  return testing::scripted_graph(
      "x, w, a, b, u, v",
      "torch.batch_norm(torch.conv3d(x, w), a, b, u, v, False, 0.1, 1e-5, True)",
      {normal_values({4, 4, 1, 1, 1}, 1), normal_values({4}, 2), normal_values({4}, 3),
       normal_values({4}, 4).add(4096.3), at::tensor({1e-7F, 3e5F, 1.0F, 2e-8F})});
}

std::vector<at::ScalarType> types_of(const torch::jit::Graph& graph, const std::string& kind,
                                     const std::vector<std::size_t>& inputs) {
  std::vector<at::ScalarType> types;
  for (const torch::jit::Node* node : graph.nodes()) {
    if (node->kind().toQualString() != kind) continue;
    for (const std::size_t input : inputs) {
      types.push_back(constant_tensor(node->input(input))->scalar_type());
    }
  }
  return types;
}

TEST(DeviceConstants, ParametersOfBatchNormsStayInFp32) {
  for (const at::ScalarType precision : {at::kHalf, at::kBFloat16}) {
    const auto graph = statistics_graph();
    move_constants(*graph, at::kCPU, precision);
    EXPECT_EQ(types_of(*graph, "aten::conv3d", {1}), std::vector<at::ScalarType>{precision});
    EXPECT_EQ(types_of(*graph, "aten::batch_norm", {1, 2, 3, 4}),
              std::vector<at::ScalarType>(4, at::kFloat));
  }
}

// The input is what half precision has of it: only the norm's own rounding is left.
void expect_norm_of_half(c10::Device device) {
  for (const at::ScalarType precision : {at::kHalf, at::kBFloat16}) {
    const at::Tensor mean = normal_values({4}, 4).add(100.3);
    const at::Tensor variance = at::tensor({1e-3F, 2.0F, 1e5F, 0.3F});
    const auto graph = testing::scripted_graph(
        "x, a, b, u, v", "torch.batch_norm(x, a, b, u, v, False, 0.1, 1e-5, True)",
        {normal_values({4}, 2), normal_values({4}, 3), mean, variance});
    const at::Tensor x =
        (mean.view({1, 4, 1, 1, 1}) + normal_values({2, 4, 5, 6, 7}, 5)).to(precision);
    const at::Tensor expected = testing::run_graph(graph, x.to(at::kFloat));
    move_constants(*graph, device, precision);
    const at::Tensor found = testing::run_graph(graph, x.to(device));
    EXPECT_EQ(found.scalar_type(), precision);
    EXPECT_LT(testing::relative_difference(found.cpu(), expected),
              precision == at::kHalf ? 1e-3 : 8e-3);
  }
}

TEST(DeviceConstants, ABatchNormOfHalfPrecisionIsThatOfFp32ToItsRounding) {
  expect_norm_of_half(at::kCPU);
}

using testing::OnTheGpu;

TEST_F(OnTheGpu, ABatchNormOfHalfPrecisionIsThatOfFp32ToItsRounding) {
  expect_norm_of_half(device_);
}

TEST(DeviceConstants, ATensorThatANormSharesIsOfThePrecisionForOthers) {
  const auto graph = testing::scripted_graph(
      "x, a, b, u, v", "torch.prelu(torch.batch_norm(x, a, b, u, v, False, 0.1, 1e-5, True), a)",
      {normal_values({4}, 2), normal_values({4}, 3), normal_values({4}, 4),
       normal_values({4}, 5).square()});
  move_constants(*graph, at::kCPU, at::kHalf);
  EXPECT_EQ(types_of(*graph, "aten::prelu", {1}), std::vector<at::ScalarType>{at::kHalf});
  EXPECT_EQ(types_of(*graph, "aten::batch_norm", {1, 2, 3, 4}),
            std::vector<at::ScalarType>(4, at::kFloat));
}

TEST(DeviceConstants, OnlyWhatBecomesOfThePrecisionCanBeTooLargeForIt) {
  EXPECT_NO_THROW(move_constants(*statistics_graph(), at::kCPU, at::kHalf));
  const auto graph = testing::scripted_graph("x, w", "torch.conv3d(x, w)",
                                             {normal_values({4, 4, 1, 1, 1}, 1, 1e6F)});
  EXPECT_THROW(move_constants(*graph, at::kCPU, at::kHalf), ModelError);
}

}  // namespace
}  // namespace mcvol
