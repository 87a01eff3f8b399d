// The engine against an independent implementation of a real network on a real scan's window.
#include "mcvol/network/bundle/bundle.h"

#include <cmath>

#include "network/convolutions/convolutions.h"
#include "network/dropout/dropout_operator.h"
#include "network/graph/dropout_graph.h"
#include "network/jit/graph_runner.h"
#include "support/npz.h"
#include "support/shared_files.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/ir/constants.h>

namespace mcvol {
namespace {

using torch::jit::Graph;
using torch::jit::Node;

// Replaces each mcvol::dropout by a product with a given factor per channel.
void give_masks(Graph& graph, const std::vector<at::Tensor>& factors) {
  std::vector<Node*> layers;
  for (Node* node : graph.nodes()) {
    if (node->kind() == c10::Symbol::fromQualString(kDropoutOperator)) layers.push_back(node);
  }
  ASSERT_EQ(layers.size(), factors.size());
  for (std::size_t n = 0; n < layers.size(); ++n) {
    const torch::jit::WithInsertPoint at(layers[n]);
    torch::jit::Value* factor = graph.insertConstant(factors[n].view({1, -1, 1, 1, 1}));
    torch::jit::Value* product = graph.insert(c10::aten::mul, {layers[n]->input(0), factor});
    layers[n]->output()->replaceAllUsesWith(product);
    layers[n]->destroy();
  }
}

at::Tensor tensor_of(const testing::NpzArray& array) {
  return at::tensor(array.values, at::kDouble).to(at::kFloat).view(array.shape);
}

class DeepMedicWindow : public ::testing::Test {
 protected:
  void SetUp() override {
    const auto shared = testing::shared_folder();
    const auto bundle_folder = testing::folder_from("MCVOL_DEEPMEDIC", "");
    if (!shared) GTEST_SKIP() << "MCVOL_SHARED names no folder";
    if (!bundle_folder) {
      GTEST_SKIP() << "MCVOL_DEEPMEDIC names no bundle; scripts/import_deepmedic.py makes one";
    }
    arrays_ = testing::read_npz(*shared / "data/deepmedic_glioma/reference_window.npz");
    bundle_ = read_bundle(*bundle_folder);
    graph_ = load_dropout_graph(bundle_.folder / bundle_.networks[0].file, "network.pt",
                                DropoutScope::kChannel);
  }

  double largest_error(const std::vector<at::Tensor>& factors, const char* expected) {
    give_masks(*graph_.suffix, factors);
    use_invariant_convolutions(graph_.prefix);
    use_invariant_convolutions(graph_.suffix);
    std::vector<at::Tensor> inputs =
        GraphRunner(graph_.prefix).run({tensor_of(arrays_.at("input")).unsqueeze(0)});
    inputs.push_back(make_draws({MaskDraw{}}, 0));
    inputs.push_back(at::empty({0}, at::kLong));
    while (inputs.size() > graph_.suffix->inputs().size()) inputs.pop_back();
    const at::Tensor probabilities =
        at::softmax(GraphRunner(graph_.suffix).run(inputs).front(), 1).squeeze(0);
    return (probabilities - tensor_of(arrays_.at(expected))).abs().max().item<double>();
  }

  std::map<std::string, testing::NpzArray> arrays_;
  Bundle bundle_;
  DropoutGraph graph_;
};

TEST_F(DeepMedicWindow, WithoutDropoutTheProbabilitiesAreTheReferences) {
  EXPECT_LT(largest_error({at::ones({60}), at::ones({80})}, "probabilities"), 1e-4);
}

// Inverted dropout: kept channels are scaled by 1 / 0.7.
TEST_F(DeepMedicWindow, WithTheGivenMasksTheProbabilitiesAreTheReferences) {
  EXPECT_LT(largest_error({tensor_of(arrays_.at("mask_fc2")) / 0.7,
                           tensor_of(arrays_.at("mask_class")) / 0.7},
                          "probabilities_masked"),
            1e-4);
}

TEST_F(DeepMedicWindow, TheSuffixIsPointwiseAndBothDropoutsAreActive) {
  EXPECT_TRUE(graph_.pointwise_suffix);
  ASSERT_EQ(graph_.layers.size(), 2u);
  for (const DropoutLayer& layer : graph_.layers) {
    EXPECT_EQ(layer.fate, "active");
    EXPECT_DOUBLE_EQ(layer.rate, 0.3);
  }
}

}  // namespace
}  // namespace mcvol
