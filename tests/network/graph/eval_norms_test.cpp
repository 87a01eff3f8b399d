// Norms that were exported in training mode, in networks that measure as in eval mode.

#include <string>

#include "network/graph/graph_fixture.h"
#include "network/support/rewritten_network.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/import.h>

namespace mcvol {
namespace {

using namespace testing;

/// A tiny network's forward whose norm, `of` the first convolution, stands before a dropout that
/// keeps all.
std::string norm_forward(const std::string& norm) {
  return "def forward(self, x):\n    x = " MCVOL_CONV1 "\n    x = " + norm +
         "\n    return x + 0.0 * torch.dropout(x, 0.5, True)\n";
}

/// What a norm of the tiny network's running statistics gives, made of PyTorch's own operators.
at::Tensor of_running_statistics() {
  const auto file = folder_of_test() / "formula.pt";
  save_network({norm_forward("x")}, file);
  const torch::jit::Module module = torch::jit::load(file.string());
  const auto tensor = [&](const char* name) { return module.attr(name).toTensor().detach(); };
  const at::Tensor x = at::conv3d(image(), tensor("w1"), tensor("b1"), 1, 1);
  const auto along = [](const at::Tensor& values) { return values.view({1, -1, 1, 1, 1}); };
  return (x - along(tensor("mean"))) / at::sqrt(along(tensor("variance")) + 1e-5) *
             along(tensor("slope")) +
         along(tensor("b1"));
}

constexpr const char* kArguments =
    "(x, self.slope, self.b1, self.mean, self.variance, True, 0.1, 1e-5, False)";

TEST(EvalNorms, ABatchNormInTrainingModeUsesItsRunningStatistics) {
  const DropoutGraph network = load(norm_forward(std::string("torch.batch_norm") + kArguments));
  EXPECT_TRUE(at::allclose(run_whole(network, {}), of_running_statistics(), 1e-4, 1e-5));
  EXPECT_EQ(network.notes, std::vector<std::string>{"1 batch norm(s) exported in training mode use "
                                                    "their running statistics."});
}

TEST(EvalNorms, AnInstanceNormThatTracksStatisticsUsesThemInTrainingModeToo) {
  const DropoutGraph network = load(norm_forward(std::string("torch.instance_norm") + kArguments));
  EXPECT_TRUE(at::allclose(run_whole(network, {}), of_running_statistics(), 1e-4, 1e-5));
  EXPECT_EQ(network.notes,
            std::vector<std::string>{"1 instance norm(s) exported in training mode use their "
                                     "running statistics."});
}

TEST(EvalNorms, AnInstanceNormWithoutStatisticsOfItsOwnUsesTheWindows) {
  const DropoutGraph network =
      load(norm_forward("torch.instance_norm(x, None, None, None, None, True, 0.1, 1e-5, False)"));
  const at::Tensor found = run_whole(network, {});
  EXPECT_LT(found.mean({2, 3, 4}).abs().max().item<double>(), 1e-5);
  EXPECT_TRUE(network.notes.empty());
}

}  // namespace
}  // namespace mcvol
