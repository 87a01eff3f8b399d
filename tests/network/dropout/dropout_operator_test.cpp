#include "network/dropout/dropout_operator.h"

#include <cmath>

#include "network/jit/graph_runner.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/ir/irparser.h>

namespace mcvol {
namespace {

at::Tensor dropped(const at::Tensor& input, const std::vector<MaskDraw>& rows,
                   const at::Tensor& positions, double rate, DropoutForm form, MaskSharing sharing,
                   std::int64_t tile_voxels = 0) {
  register_dropout_operators();
  auto graph = std::make_shared<torch::jit::Graph>();
  torch::jit::parseIR(
      "graph(%x : Tensor, %draws : Tensor, %positions : Tensor):\n"
      "  %rate : float = prim::Constant[value=" +
          std::to_string(rate) +
          "]()\n"
          "  %layer : int = prim::Constant[value=5]()\n"
          "  %form : int = prim::Constant[value=" +
          std::to_string(static_cast<int>(form)) +
          "]()\n"
          "  %sharing : int = prim::Constant[value=" +
          std::to_string(static_cast<int>(sharing)) +
          "]()\n"
          "  %y : Tensor = mcvol::dropout(%x, %draws, %positions, %rate, %layer, %form, %sharing)\n"
          "  return (%y)\n",
      graph.get());
  return GraphRunner(graph).run({input, make_draws(rows, tile_voxels), positions}).front();
}

const at::Tensor kNoPositions = at::empty({0}, at::kLong);
const std::vector<MaskDraw> kTwoRows = {{.seed = 9, .pass = 0, .window = {1, 2, 3}},
                                        {.seed = 9, .pass = 1, .window = {1, 2, 3}}};

TEST(DropoutOperator, ChannelMasksKeepOrDropWholeChannelsAsTheStreamSays) {
  const at::Tensor input = at::ones({2, 16, 3, 4, 5});
  const at::Tensor output =
      dropped(input, kTwoRows, kNoPositions, 0.25, DropoutForm::kInverted, MaskSharing::kChannel);
  for (int row = 0; row < 2; ++row) {
    const MaskStream stream(kTwoRows[static_cast<std::size_t>(row)], 5, MaskSharing::kChannel);
    for (int channel = 0; channel < 16; ++channel) {
      const bool kept = stream.word(static_cast<std::uint64_t>(channel)) >= keep_threshold(0.25);
      const at::Tensor expected = at::full({3, 4, 5}, kept ? static_cast<float>(1 / 0.75) : 0.0F);
      EXPECT_TRUE(output[row][channel].equal(expected));
    }
  }
}

TEST(DropoutOperator, ElementMasksFollowTheStreamElementByElement) {
  const at::Tensor input = at::ones({2, 3, 4, 5, 6});
  const at::Tensor output =
      dropped(input, kTwoRows, kNoPositions, 0.5, DropoutForm::kInverted, MaskSharing::kElement);
  for (int row = 0; row < 2; ++row) {
    const MaskStream stream(kTwoRows[static_cast<std::size_t>(row)], 5, MaskSharing::kElement);
    const at::Tensor flat = output[row].contiguous().view(-1);
    for (std::int64_t i = 0; i < flat.numel(); ++i) {
      const bool kept = stream.word(static_cast<std::uint64_t>(i)) >= keep_threshold(0.5);
      ASSERT_EQ(flat[i].item<float>(), kept ? 2.0F : 0.0F);
    }
  }
}

// Dense positions take the block-wise path, sparse ones the word-by-word path.
TEST(DropoutOperator, GatheredVoxelsGetTheMasksOfTheirPlaceInTheTile) {
  const std::int64_t tile = 20 * 20 * 20;
  const at::Tensor input = at::randn({1, 4, tile, 1, 1});
  const std::vector<MaskDraw> row = {kTwoRows[1]};
  const at::Tensor whole =
      dropped(input, row, kNoPositions, 0.3, DropoutForm::kInverted, MaskSharing::kElement);
  for (const std::int64_t step : {std::int64_t{1}, std::int64_t{3}, std::int64_t{500}}) {
    const at::Tensor positions = at::arange(7, tile, step, at::kLong);
    const at::Tensor gathered =
        dropped(input.index_select(2, positions).contiguous(), row, positions, 0.3,
                DropoutForm::kInverted, MaskSharing::kElement, tile);
    EXPECT_TRUE(gathered.equal(whole.index_select(2, positions))) << "step " << step;
  }
}

TEST(DropoutOperator, RateOneDropsEverythingAndNothingBecomesNaN) {
  const at::Tensor input = at::ones({1, 4, 2, 2, 2});
  for (const DropoutForm form : {DropoutForm::kInverted, DropoutForm::kAlpha}) {
    const at::Tensor output =
        dropped(input, {kTwoRows[0]}, kNoPositions, 1.0, form, MaskSharing::kElement);
    EXPECT_TRUE(output.equal(at::zeros_like(output)));
  }
}

// PyTorch's formula (torch.nn.functional.alpha_dropout), written with its own names.
TEST(DropoutOperator, AlphaDropoutFollowsItsDefinition) {
  const double p = 0.2;
  const double alpha = 1.7580993408473766;
  const double a = 1.0 / std::sqrt((alpha * alpha * p + 1.0) * (1.0 - p));
  const at::Tensor input = at::randn({1, 8, 4, 4, 4});
  const at::Tensor output =
      dropped(input, {kTwoRows[0]}, kNoPositions, p, DropoutForm::kAlpha, MaskSharing::kElement);
  const MaskStream stream(kTwoRows[0], 5, MaskSharing::kElement);
  for (std::int64_t i = 0; i < input.numel(); ++i) {
    const double noise = stream.word(static_cast<std::uint64_t>(i)) >= keep_threshold(p) ? 1 : 0;
    const double b = (noise - 1) * alpha * a + alpha * a * p;
    EXPECT_NEAR(output.view(-1)[i].item<double>(), input.view(-1)[i].item<double>() * noise * a + b,
                1e-5);
  }
}

TEST(DropoutOperator, ChannelMasksRefuseOtherRanksAndNameNative) {
  try {
    dropped(at::ones({1, 4, 6}), {kTwoRows[0]}, kNoPositions, 0.5, DropoutForm::kInverted,
            MaskSharing::kChannel);
    FAIL() << "expected an error";
  } catch (const std::exception& error) {
    EXPECT_NE(reason_of(error).find("--scope native"), std::string::npos) << error.what();
  }
}

TEST(SharingUnder, NativeScopeDrawsAsPyTorchDoes) {
  EXPECT_EQ(sharing_under(DropoutScope::kNative, false), MaskSharing::kElement);
  EXPECT_EQ(sharing_under(DropoutScope::kNative, true), MaskSharing::kWindowChannel);
  EXPECT_EQ(sharing_under(DropoutScope::kChannel, false), MaskSharing::kChannel);
  EXPECT_EQ(sharing_under(DropoutScope::kElement, true), MaskSharing::kElement);
}

}  // namespace
}  // namespace mcvol
