#include <cmath>
#include <string>

#include "network/dropout/dropout_operator.h"
#include "network/graph/graph_fixture.h"
#include "network/jit/graph_runner.h"
#include <gtest/gtest.h>

// Attention that drops its own weights, as nn.TransformerEncoderLayer's does in training.

namespace mcvol {
namespace {

constexpr const char* kAttention = R"(
def forward(self, x):
    tokens = x.flatten(2).transpose(1, 2)
    return torch.scaled_dot_product_attention(tokens, tokens, 2 * tokens, None, 0.25REST)
)";

std::string attention(const std::string& rest) {
  std::string code = kAttention;
  return code.replace(code.find("REST"), 4, rest);
}

at::Tensor tokens_of(const at::Tensor& image) { return image.flatten(2).transpose(1, 2); }

TEST(AttentionDropout, IsALayerLikeAnyOther) {
  const DropoutGraph network = testing::load(attention(""), DropoutScope::kElement);
  ASSERT_EQ(network.layers.size(), 1U);
  EXPECT_EQ(network.layers[0].kind, "dropout");
  EXPECT_EQ(network.layers[0].rate, 0.25);
  EXPECT_EQ(network.layers[0].fate, "active");
}

TEST(AttentionDropout, OffIsPyTorchsAttention) {
  const at::Tensor tokens = tokens_of(testing::image());
  for (const auto& [rest, scale] : {std::pair<std::string, std::optional<double>>{"", std::nullopt},
                                    {", False, scale=0.7", 0.7}}) {
    const DropoutGraph network = testing::load(attention(rest), DropoutScope::kElement);
    const at::Tensor found = testing::run_whole(network, {.dropout_off = true});
    const at::Tensor expected =
        at::scaled_dot_product_attention(tokens, tokens, 2 * tokens, {}, 0.0, false, scale);
    EXPECT_TRUE(at::allclose(found, expected, 1e-5, 1e-6)) << rest;
  }
}

TEST(AttentionDropout, DropsTheWeightsAfterTheSoftmax) {
  const at::Tensor tokens = tokens_of(testing::image());
  const DropoutGraph network = testing::load(attention(""), DropoutScope::kElement);
  const MaskDraw draw{.seed = 5, .pass = 3};
  const at::Tensor weights =
      at::softmax(at::matmul(tokens, tokens.transpose(1, 2)) / std::sqrt(2.0), -1);
  const at::Tensor dropped = run_dropout(weights, make_draws({draw}, 0), at::empty({0}, at::kLong),
                                         0.25, 0, DropoutForm::kInverted, MaskSharing::kElement);
  EXPECT_FALSE(dropped.equal(weights));
  EXPECT_TRUE(
      at::allclose(testing::run_whole(network, draw), at::matmul(dropped, 2 * tokens), 1e-5, 1e-6));
}

TEST(AttentionDropout, OfACausalAttentionIsStillRefused) {
  const std::string error = testing::error_of(attention(", True"));
  EXPECT_NE(error.find("draws its own random numbers"), std::string::npos) << error;
}

}  // namespace
}  // namespace mcvol
