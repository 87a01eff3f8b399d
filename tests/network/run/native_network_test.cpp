// Whether a rewritten network under the native scope, nonlinearities behind its dropout, gives in
// distribution what its formula gives with PyTorch's own operators. Seeds are fixed; with random
// ones, two correct generators would fail a test with a probability of about 1e-6 (Bonferroni over
// its 3,072 comparisons: mean and variance of 1,536 logits).

#include <map>
#include <string>
#include <vector>

#include "network/support/monte_carlo_moments.h"
#include "network/support/rewritten_network.h"
#include "network/support/statistical_checks.h"
#include "network/support/tiny_network.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/serialization/import.h>

namespace mcvol {
namespace {

using testing::Comparisons;

constexpr int kPasses = 2000;

at::Tensor network_input() {
  at::manual_seed(17);
  return at::randn({1, 2, 8, 8, 8});
}

// The network's weights and, with at:: operators, the formulas of tiny_network.cpp.
class Formula {
 public:
  explicit Formula(const testing::TinyNetwork& network) {
    const auto file = testing::folder_of_test() / "formula.pt";
    testing::save_network(network, file);
    const torch::jit::Module module = torch::jit::load(file.string());
    for (const auto& [name, value] : module.named_parameters()) weights_[name] = value.detach();
    for (const auto& [name, value] : module.named_buffers()) weights_[name] = value;
  }

  at::Tensor pointwise(const at::Tensor& input) const {
    at::Tensor x = at::relu(wide(input));
    x = at::dropout(x, 0.4, true);
    x = at::prelu(narrow(x, "2"), weights_.at("slope").slice(0, 0, 6));
    return narrow(at::dropout(x, 0.2, true), "3");
  }

  at::Tensor spatial(const at::Tensor& input) const {
    const at::Tensor x = at::feature_dropout(at::relu(wide(input)), 0.4, true);
    const at::Tensor sum = x.slice(1, 0, 2) + x.slice(1, 2, 4);
    return narrow(narrow(at::relu(wide(sum)), "2"), "3");
  }

 private:
  at::Tensor wide(const at::Tensor& x) const {
    return at::conv3d(x, weights_.at("w1"), weights_.at("b1"), 1, 1);
  }
  at::Tensor narrow(const at::Tensor& x, const std::string& layer) const {
    return at::conv3d(x, weights_.at("w" + layer), weights_.at("b" + layer));
  }

  std::map<std::string, at::Tensor> weights_;
};

at::Tensor formula_passes(const testing::TinyNetwork& network,
                          at::Tensor (Formula::*forward)(const at::Tensor&) const) {
  const Formula formula(network);
  const at::Tensor batch = network_input().expand({250, 2, 8, 8, 8}).contiguous();
  at::manual_seed(23);
  std::vector<at::Tensor> passes;
  for (int first = 0; first < kPasses; first += 250) passes.push_back((formula.*forward)(batch));
  return at::cat(passes);
}

Comparisons compare(const std::string& forward, DropoutScope scope, const at::Tensor& expected) {
  const at::Tensor ours = testing::run_rewritten(forward, scope, network_input(), kPasses, 29);
  Comparisons comparisons(testing::kFalseAlarmRate);
  testing::compare_moments(comparisons, "logit", ours, expected);
  EXPECT_EQ(comparisons.size(), 3072u);
  return comparisons;
}

at::Tensor pointwise_formula() {
  return formula_passes(testing::pointwise_network(), &Formula::pointwise);
}

at::Tensor spatial_formula() {
  return formula_passes(testing::spatial_network(), &Formula::spatial);
}

TEST(NativeNetwork, WithElementDropoutHasTheMeanAndVarianceOfItsFormula) {
  EXPECT_EQ(
      compare(testing::pointwise_network().forward, DropoutScope::kNative, pointwise_formula())
          .rejected(),
      testing::kNoneRejected);
}

TEST(NativeNetwork, WithFeatureDropoutHasTheMeanAndVarianceOfItsFormula) {
  EXPECT_EQ(compare(testing::spatial_network().forward, DropoutScope::kNative, spatial_formula())
                .rejected(),
            testing::kNoneRejected);
}

// Wrong networks, to the same checks.

TEST(NativeNetwork, RejectsElementMasksInPlaceOfFeatureMasks) {
  EXPECT_NE(compare(testing::spatial_network().forward, DropoutScope::kElement, spatial_formula())
                .rejected(),
            testing::kNoneRejected);
}

TEST(NativeNetwork, RejectsADropoutRateThatIsWrong) {
  std::string forward = testing::pointwise_network().forward;
  forward.replace(forward.find("0.4"), 3, "0.5");
  EXPECT_NE(compare(forward, DropoutScope::kNative, pointwise_formula()).rejected(),
            testing::kNoneRejected);
}

}  // namespace
}  // namespace mcvol
