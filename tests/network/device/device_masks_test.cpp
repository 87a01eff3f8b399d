#include <memory>
#include <string>
#include <vector>

#include "network/device/gpu_fixture.h"
#include "network/dropout/device_dropout.h"
#include "network/dropout/dropout_operator.h"
#include "network/jit/graph_runner.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/ir/irparser.h>

namespace mcvol {
namespace {

using testing::OnTheGpu;

at::Tensor dropped(const at::Tensor& input, const at::Tensor& draws, const at::Tensor& positions,
                   DropoutForm form, MaskSharing sharing) {
  register_dropout_operators();
  auto graph = std::make_shared<torch::jit::Graph>();
  const auto number = [](auto value) { return std::to_string(static_cast<int>(value)); };
  torch::jit::parseIR(
      "graph(%x : Tensor, %draws : Tensor, %positions : Tensor):\n"
      "  %rate : float = prim::Constant[value=0.3]()\n"
      "  %layer : int = prim::Constant[value=5]()\n"
      "  %form : int = prim::Constant[value=" +
          number(form) + "]()\n  %sharing : int = prim::Constant[value=" + number(sharing) +
          "]()\n"
          "  %y : Tensor = mcvol::dropout(%x, %draws, %positions, %rate, %layer, %form, %sharing)\n"
          "  return (%y)\n",
      graph.get());
  return GraphRunner(graph).run({input, draws, positions}).front();
}

std::vector<MaskDraw> draws_of(std::size_t rows) {
  std::vector<MaskDraw> draws(rows);
  for (std::size_t n = 0; n < rows; ++n) {
    draws[n] = {.seed = 0x123456789ABCDEFu, .member = 3, .pass = static_cast<std::uint32_t>(n)};
    draws[n].window = {-1, 20, static_cast<std::int32_t>(n / 2)};
    draws[n].dropout_off = n % 5 == 4;
  }
  return draws;
}

const at::Tensor kNowhere = at::empty({0}, at::kLong);

// 70 rows are more than one launch takes; 7 * 5 * 3 elements fill no vector.
TEST_F(OnTheGpu, MasksAreThoseOfTheCpuBitForBit) {
  for (const auto sharing :
       {MaskSharing::kChannel, MaskSharing::kWindowChannel, MaskSharing::kElement}) {
    for (const std::int64_t depth : {7, 8}) {
      const at::Tensor input = at::randn({70, 9, depth, 5, 3});
      const at::Tensor draws = make_draws(draws_of(70), 0);
      const at::Tensor expected = dropped(input, draws, kNowhere, DropoutForm::kInverted, sharing);
      const at::Tensor found =
          dropped(input.to(device_), draws, kNowhere, DropoutForm::kInverted, sharing);
      EXPECT_TRUE(found.cpu().equal(expected)) << static_cast<int>(sharing) << ", " << depth;
    }
  }
}

TEST_F(OnTheGpu, AlphaDropoutIsThatOfTheCpu) {
  const at::Tensor input = at::randn({5, 6, 4, 4, 4});
  const at::Tensor draws = make_draws(draws_of(5), 0);
  const at::Tensor expected =
      dropped(input, draws, kNowhere, DropoutForm::kAlpha, MaskSharing::kElement);
  const at::Tensor found =
      dropped(input.to(device_), draws, kNowhere, DropoutForm::kAlpha, MaskSharing::kElement);
  EXPECT_TRUE(at::allclose(found.cpu(), expected, 0.0, 1e-6));
}

TEST_F(OnTheGpu, PassesThatShareAnInputReadItWhereItIs) {
  const at::Tensor one = at::randn({1, 6, 4, 4, 5});
  const at::Tensor draws = make_draws(draws_of(4), 0);
  const at::Tensor expected = dropped(one.expand({4, -1, -1, -1, -1}), draws, kNowhere,
                                      DropoutForm::kInverted, MaskSharing::kElement);
  const at::Tensor found = dropped(one.to(device_).expand({4, -1, -1, -1, -1}), draws, kNowhere,
                                   DropoutForm::kInverted, MaskSharing::kElement);
  EXPECT_TRUE(found.cpu().equal(expected));
}

TEST_F(OnTheGpu, GatheredVoxelsGetTheMasksOfTheirPlace) {
  const at::Tensor input = at::randn({3, 4, 100, 1, 1});
  const at::Tensor positions = at::arange(5, 705, 7, at::kLong);
  const at::Tensor draws = make_draws(draws_of(3), 1000);
  const at::Tensor expected =
      dropped(input, draws, positions, DropoutForm::kInverted, MaskSharing::kElement);
  const at::Tensor found = dropped(input.to(device_), draws, positions.to(device_),
                                   DropoutForm::kInverted, MaskSharing::kElement);
  EXPECT_TRUE(found.cpu().equal(expected));
}

TEST_F(OnTheGpu, HalfPrecisionIsDroppedAsWell) {
  const at::Tensor draws = make_draws(draws_of(4), 0);
  for (const auto type : {at::kHalf, at::kBFloat16}) {
    const at::Tensor input = at::randn({4, 6, 4, 4, 5}).to(type);
    const at::Tensor expected = dropped(input.to(at::kFloat), draws, kNowhere,
                                        DropoutForm::kInverted, MaskSharing::kChannel)
                                    .to(type);
    const at::Tensor found =
        dropped(input.to(device_), draws, kNowhere, DropoutForm::kInverted, MaskSharing::kChannel);
    EXPECT_TRUE(found.cpu().equal(expected)) << type;
  }
}

/// Instance norm, leaky ReLU and dropout one after the other, in fp32 on the CPU.
at::Tensor norm_in_steps(const at::Tensor& input, const at::Tensor& weight, const at::Tensor& bias,
                         const at::Tensor& slope, const std::vector<MaskDraw>& draws,
                         MaskSharing sharing) {
  const at::Tensor norm = at::instance_norm(input.to(at::kFloat), weight.to(at::kFloat),
                                            bias.to(at::kFloat), {}, {}, true, 0.0, 1e-5, false);
  return dropped(at::prelu(norm, slope.to(at::kFloat)), make_draws(draws, 0), kNowhere,
                 DropoutForm::kInverted, sharing);
}

// Channels far from 0 with little spread are what sums of squares are bad at.
TEST_F(OnTheGpu, NormActivationAndDropoutInOneAreThoseOneAfterTheOther) {
  for (const std::int64_t channels : {3, 4, 8, 16, 40, 256}) {
    for (const auto sharing : {MaskSharing::kChannel, MaskSharing::kElement}) {
      const at::Tensor shift = at::arange(channels).view({1, channels, 1, 1, 1}).fmod(4);
      const at::Tensor input = (at::randn({3, channels, 13, 11, 9}) + shift).to(at::kHalf);
      const at::Tensor weight = (at::rand({channels}) + 0.5).to(at::kHalf);
      const at::Tensor bias = at::randn({channels}).to(at::kHalf);
      const at::Tensor slope = at::rand({channels}).to(at::kHalf);
      const std::vector<MaskDraw> draws = draws_of(3);
      const at::Tensor expected = norm_in_steps(input, weight, bias, slope, draws, sharing);
      const DeviceMasks masks{.draws = draws, .layer = 5, .rate = 0.3, .sharing = sharing};
      const at::Tensor found = device_norm(input.to(device_), weight.to(device_), bias.to(device_),
                                           1e-5, slope.to(device_), masks);
      EXPECT_TRUE(found.is_contiguous(at::MemoryFormat::ChannelsLast3d));
      const double off = (found.cpu().to(at::kFloat) - expected).abs().max().item<double>();
      EXPECT_LT(off, 0.01) << channels << " channels, sharing " << static_cast<int>(sharing);
    }
  }
}

TEST_F(OnTheGpu, MasksOfChannelsThatLieLastAreThoseOfTheCpu) {
  const at::Tensor one = at::randn({1, 16, 5, 4, 3}).to(at::kHalf);
  const at::Tensor draws = make_draws(draws_of(70), 0);
  const at::Tensor expected = dropped(one.to(at::kFloat).expand({70, -1, -1, -1, -1}), draws,
                                      kNowhere, DropoutForm::kInverted, MaskSharing::kChannel)
                                  .to(at::kHalf);
  const at::Tensor last = one.to(device_).contiguous(at::MemoryFormat::ChannelsLast3d);
  const at::Tensor found = dropped(last.expand({70, -1, -1, -1, -1}), draws, kNowhere,
                                   DropoutForm::kInverted, MaskSharing::kChannel);
  EXPECT_TRUE(found.is_contiguous(at::MemoryFormat::ChannelsLast3d));
  EXPECT_TRUE(found.cpu().equal(expected));
}

}  // namespace
}  // namespace mcvol
