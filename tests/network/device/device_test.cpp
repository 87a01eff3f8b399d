#include "network/device/device.h"

#include "mcvol/error/error.h"

#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <random>
#include <string_view>

#include "network/assembly/device_sums.h"
#include "network/dropout/device_dropout.h"
#include "network/dropout/dropout_operator.h"
#include "network/graph/graph_runner.h"
#include "network/run/torchscript_segmenter.h"
#include "network/support/segmenter_fixtures.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/jit/ir/irparser.h>

// What a GPU gives is what the CPU gives. Skipped, visibly, where there is none; with
// MCVOL_REQUIRE_GPU set a GPU that cannot be used, or kernels that do not compile, are a failure.

namespace mcvol {
namespace {

using testing::Logits;

class OnTheGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    try {
      device_ = choose_device("cuda").device;
    } catch (const Error& error) {
      if (std::getenv("MCVOL_REQUIRE_GPU") != nullptr) FAIL() << error.what();
      GTEST_SKIP() << error.what();
    }
  }

  c10::Device device_{c10::kCPU};
};

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

/// Keeps the sums of a scan.
class SumsSink final : public LogitSink {
 public:
  void accept(const LogitBlock&) override { ADD_FAILURE() << "blocks where sums were expected"; }
  bool takes_sums() const override { return true; }
  void accept(const LogitSums& sums) override {
    histograms.assign(sums.histograms.begin(), sums.histograms.end());
    means.assign(sums.means.begin(), sums.means.end());
    const std::int64_t* first = sums.probability_sums.get();
    probabilities.assign(first, first + static_cast<std::int64_t>(sums.means.size()) * sums.voxels);
    given = sums.probability_sums;
  }
  std::shared_ptr<const std::int64_t> earlier_sums() const override { return given; }

  std::vector<LogitHistogram> histograms, means;
  std::vector<std::int64_t> probabilities;
  std::shared_ptr<const std::int64_t> given;
};

/// [passes, regions, voxels]: background, infinities, the borders of intervals and what lies
/// between.
at::Tensor many_logits(std::int64_t passes, std::int64_t regions, std::int64_t voxels) {
  at::Tensor logits = at::randn({passes, regions, voxels}) * 9.0;
  logits.narrow(2, 0, voxels / 2).fill_(-30.0);
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> special = {infinity, -infinity, 0.0F, -0.0F, 16.0F, -16.0F, 0.125F};
  logits.narrow(2, voxels - 7, 7).copy_(at::tensor(special));
  return logits;
}

TEST_F(OnTheGpu, HistogramsOfLogitsAreThoseOfTheCpuBitForBit) {
  constexpr std::int64_t kPasses = 4, kRegions = 2, kVoxels = 100'003;
  const at::Tensor logits = many_logits(kPasses, kRegions, kVoxels);
  DeviceSums sums(device_, kRegions, kVoxels, kPasses - 1, kPasses);
  const std::int64_t cut = 60'000;  // two windows
  for (const auto& [begin, count] : {std::pair(std::int64_t{0}, cut), {cut, kVoxels - cut}}) {
    for (int pass = 0; pass < kPasses; pass += 2) {
      const std::array<int, 2> passes = {pass, pass + 1};
      sums.add(logits.narrow(0, pass, 2).narrow(2, begin, count).contiguous().to(device_),
               at::arange(begin, begin + count, at::kLong).to(device_), passes);
    }
  }
  SumsSink sink;
  sums.give(sink);
  for (std::int64_t region = 0; region < kRegions; ++region) {
    for (std::int64_t pass = 0; pass < kPasses; ++pass) {
      const at::Tensor row = logits[pass][region].contiguous();
      LogitHistogram expected;
      expected.add({row.const_data_ptr<float>(), static_cast<std::size_t>(kVoxels)});
      EXPECT_EQ(sink.histograms[static_cast<std::size_t>(region * kPasses + pass)], expected);
    }
    // The pass without dropout, the last, is no part of the mean.
    const at::Tensor mean =
        logits.narrow(0, 0, kPasses - 1).select(1, region).to(at::kDouble).sigmoid().mean(0);
    for (const std::int64_t voxel : {std::int64_t{0}, cut, kVoxels - 8, kVoxels - 1}) {
      const double found =
          static_cast<double>(
              sink.probabilities[static_cast<std::size_t>(region * kVoxels + voxel)]) /
          (kProbabilityUnit * (kPasses - 1));
      EXPECT_NEAR(found, mean[voxel].item<double>(), 1e-14);
    }
    const LogitHistogram& histogram = sink.means[static_cast<std::size_t>(region)];
    EXPECT_EQ(histogram.voxel_count(), kVoxels);
    EXPECT_NEAR(histogram.probability_sum(), mean.sum().item<double>(), 2e-5 * kVoxels);
  }
}

TEST_F(OnTheGpu, NoNumberIsAnErrorOfTheScan) {
  DeviceSums sums(device_, 1, 3, 1, 1);
  const std::array<int, 1> pass = {0};
  sums.add(at::full({1, 1, 3}, std::numeric_limits<float>::quiet_NaN()).to(device_),
           at::arange(3, at::kLong).to(device_), pass);
  SumsSink sink;
  EXPECT_THROW(sums.give(sink), InputError);
}

double largest_difference(const Logits& ours, const Logits& others) {
  double largest = 0.0;
  for (std::size_t pass = 0; pass < ours.size(); ++pass) {
    for (std::size_t region = 0; region < ours[pass].size(); ++region) {
      for (std::size_t voxel = 0; voxel < ours[pass][region].size(); ++voxel) {
        const double off = std::abs(ours[pass][region][voxel] - others[pass][region][voxel]);
        largest = off <= largest ? largest : off;  // NaN shows
      }
    }
  }
  return largest;
}

struct DeviceSubject {
  const char* name;
  testing::TinyNetwork network;
  Bundle::Window::Blend blend;
};

void PrintTo(const DeviceSubject& subject, std::ostream* stream) { *stream << subject.name; }

class NetworksOnTheGpu : public OnTheGpu, public ::testing::WithParamInterface<DeviceSubject> {
 protected:
  Bundle bundle() const {
    Bundle made = testing::tiny_bundle({GetParam().network});
    made.window.input = made.window.output = {17, 15, 19};
    made.window.blend = GetParam().blend;
    made.window.overlap = made.window.blend == Bundle::Window::Blend::kNone ? 0.0 : 0.25;
    return made;
  }
  const PassRequest request_{.passes = 11, .seed = 5, .without_dropout = true};
  const PreparedScan scan_ = testing::random_scan({30, 26, 21}, 3);
};

TEST_P(NetworksOnTheGpu, GiveTheLogitsOfTheCpu) {
  for (const auto scope : {DropoutScope::kChannel, DropoutScope::kElement}) {
    const auto gpu =
        load_torchscript_segmenter(bundle(), {.device = "cuda", .threads = 1, .scope = scope});
    const Logits found = testing::logits_of(*gpu, bundle(), scan_, request_);
    const Logits expected = testing::logits_of(bundle(), scan_, request_, 2, scope);
    EXPECT_LT(largest_difference(found, expected), 1e-4);
  }
}

TEST_P(NetworksOnTheGpu, SumsAreThoseOfTheirLogits) {
  const auto gpu = load_torchscript_segmenter(bundle(), {.device = "cuda", .threads = 1});
  const Logits logits = testing::logits_of(*gpu, bundle(), scan_, request_);
  SumsSink sink;
  StageTimings timings;
  ASSERT_TRUE(gpu->run(
      scan_, request_, sink, [](double) { return true; }, timings));
  ASSERT_EQ(sink.histograms.size(), logits.size() * bundle().regions.size());
  for (std::size_t pass = 0; pass < logits.size(); ++pass) {
    for (std::size_t region = 0; region < logits[pass].size(); ++region) {
      LogitHistogram expected;
      expected.add(logits[pass][region]);
      const LogitHistogram& found = sink.histograms[region * logits.size() + pass];
      EXPECT_EQ(found.voxel_count(), expected.voxel_count());
      // Of what was blended on the host the regions are the CPU's, whose exp and log round
      // otherwise.
      if (GetParam().blend == Bundle::Window::Blend::kNone) {
        EXPECT_EQ(found, expected);
      } else {
        EXPECT_NEAR(found.probability_sum(), expected.probability_sum(), 1e-3);
      }
    }
  }
}

TEST_P(NetworksOnTheGpu, SumsOfALaterRequestGoOnFromThoseBefore) {
  const auto gpu = load_torchscript_segmenter(bundle(), {.device = "cuda", .threads = 1});
  SumsSink at_once, in_parts;
  const auto go_on = [](double) { return true; };
  StageTimings timings;
  ASSERT_TRUE(gpu->run(scan_, {.passes = 16, .seed = 5}, at_once, go_on, timings));
  ASSERT_TRUE(gpu->run(scan_, {.passes = 8, .seed = 5}, in_parts, go_on, timings));
  const std::vector<LogitHistogram> first = in_parts.histograms;
  ASSERT_TRUE(gpu->run(scan_, {.passes = 8, .seed = 5, .first_pass = 8}, in_parts, go_on, timings));
  EXPECT_EQ(in_parts.means, at_once.means);
  EXPECT_EQ(in_parts.probabilities, at_once.probabilities);
  for (std::size_t region = 0; region < bundle().regions.size(); ++region) {
    for (std::size_t pass = 0; pass < 8; ++pass) {
      EXPECT_EQ(first[region * 8 + pass], at_once.histograms[region * 16 + pass]);
      EXPECT_EQ(in_parts.histograms[region * 8 + pass], at_once.histograms[region * 16 + 8 + pass]);
    }
  }
}

TEST_P(NetworksOnTheGpu, GiveAboutTheSameInHalfPrecision) {
  const Logits expected = testing::logits_of(bundle(), scan_, request_, 2);
  for (const auto precision : {Precision::kFp16, Precision::kBf16}) {
    const auto gpu = load_torchscript_segmenter(
        bundle(), {.device = "cuda", .threads = 1, .precision = precision});
    const Logits found = testing::logits_of(*gpu, bundle(), scan_, request_);
    const double off = largest_difference(found, expected);
    EXPECT_LT(off, precision == Precision::kFp16 ? 0.15 : 1.2);
    EXPECT_GT(off, 1e-6);  // it is in half precision
  }
}

// Of a pointwise suffix a batch is one batched product, which may round otherwise.
TEST_P(NetworksOnTheGpu, ABatchOfPassesGivesWhatSinglePassesGive) {
  const auto logits_in = [&](const WorkOrder& order) {
    TorchScriptSegmenter segmenter(bundle(), {.device = "cuda", .threads = 1}, order);
    return testing::logits_of(segmenter, bundle(), scan_, request_);
  };
  WorkOrder alone;
  alone.device_passes = 1;
  alone.most_passes_per_group = 4;
  const Logits together = logits_in({}), one_by_one = logits_in(alone);
  if (std::string_view(GetParam().name).starts_with("pointwise")) {
    EXPECT_LT(largest_difference(together, one_by_one), 1e-5);
  } else {
    EXPECT_EQ(testing::differing_values(together, one_by_one), 0u);
  }
}

using Blend = Bundle::Window::Blend;
INSTANTIATE_TEST_SUITE_P(
    Networks, NetworksOnTheGpu,
    ::testing::Values(
        DeviceSubject{"pointwise", testing::pointwise_network(), Blend::kNone},
        DeviceSubject{"pointwise_blended", testing::pointwise_network(), Blend::kGaussian},
        DeviceSubject{"spatial", testing::spatial_network(), Blend::kNone},
        DeviceSubject{"spatial_blended", testing::spatial_network(), Blend::kConstant},
        DeviceSubject{"branching", testing::branching_network(), Blend::kGaussian}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace mcvol
