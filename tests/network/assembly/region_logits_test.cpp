#include "network/assembly/region_logits.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "support/infinity.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using Activation = Bundle::Output::Activation;
using Values = Bundle::Output::Values;

RegionLogits region_logits(Activation activation, Values values, int channels,
                           const std::vector<std::vector<int>>& regions) {
  Bundle::Output output;
  output.channels = channels;
  output.values = values;
  output.activation = activation;
  std::vector<Bundle::Region> named;
  for (const auto& outputs : regions) named.push_back({"region", outputs});
  return RegionLogits(output, named);
}

bool holds(const std::vector<int>& outputs, std::int64_t channel) {
  return std::find(outputs.begin(), outputs.end(), channel) != outputs.end();
}

/// log of the sum of exp over the channels in the region less that over the others.
long double softmax_logit(const at::Tensor& logits, const std::vector<int>& region) {
  const auto values = logits.accessor<float, 1>();
  long double sums[2] = {0.0L, 0.0L};
  const long double most = logits.max().item<float>();
  for (std::int64_t channel = 0; channel < values.size(0); ++channel) {
    sums[holds(region, channel) ? 0 : 1] += std::exp(values[channel] - most);
  }
  return std::log(sums[0]) - std::log(sums[1]);
}

long double probability_logit(const at::Tensor& probabilities, const std::vector<int>& region) {
  const auto values = probabilities.accessor<float, 1>();
  long double sums[2] = {0.0L, 0.0L};
  for (std::int64_t channel = 0; channel < values.size(0); ++channel) {
    sums[holds(region, channel) ? 0 : 1] += values[channel];
  }
  return std::log(sums[0]) - std::log(sums[1]);
}

// Overlapping regions and one of several channels that are no neighbours.
const std::vector<std::vector<int>> kRegions = {{1, 2, 4}, {1, 4}, {4}, {0, 3}};

at::Tensor random_logits(float scale) {
  std::mt19937 generator(3);
  std::normal_distribution<float> normal(0.0F, scale);
  at::Tensor values = at::empty({2, 5, 300}, at::kFloat);
  for (std::int64_t n = 0; n < values.numel(); ++n) values.data_ptr<float>()[n] = normal(generator);
  return values;
}

TEST(RegionLogits, SoftmaxLogitsAreLogSumExpOfTheRegionLessThatOfTheRest) {
  for (const float scale : {0.1F, 3.0F, 20.0F}) {
    const at::Tensor output = random_logits(scale);
    const at::Tensor found =
        region_logits(Activation::kSoftmax, Values::kLogits, 5, kRegions)(output);
    ASSERT_EQ(found.sizes(), (std::vector<std::int64_t>{2, 4, 300}));
    const auto values = found.accessor<float, 3>();
    for (std::int64_t row = 0; row < 2; ++row) {
      for (std::int64_t voxel = 0; voxel < 300; ++voxel) {
        for (std::size_t region = 0; region < kRegions.size(); ++region) {
          const auto expected = static_cast<double>(
              softmax_logit(output[row].select(1, voxel).contiguous(), kRegions[region]));
          ASSERT_NEAR(values[row][static_cast<std::int64_t>(region)][voxel], expected,
                      5e-7 * (1.0 + 4.0 * scale));
        }
      }
    }
  }
}

TEST(RegionLogits, SoftmaxLogitsFarApartNeitherOverflowNorVanish) {
  const at::Tensor output = at::tensor({1e4F, -1e4F, 0.0F, -kFloatInfinity}).view({1, 4, 1});
  const at::Tensor found = region_logits(Activation::kSoftmax, Values::kLogits, 4,
                                         {{0}, {1}, {1, 2}, {3}, {0, 1, 2}})(output);
  const std::vector<float> expected = {1e4F, -2e4F, -1e4F, -kFloatInfinity, kFloatInfinity};
  for (std::size_t n = 0; n < expected.size(); ++n) {
    EXPECT_EQ(found[0][static_cast<std::int64_t>(n)][0].item<float>(), expected[n]) << n;
  }
}

TEST(RegionLogits, SigmoidLogitsAreTheChannelsThemselves) {
  const at::Tensor output = random_logits(5.0F);
  const at::Tensor found =
      region_logits(Activation::kSigmoid, Values::kLogits, 5, {{3}, {0}})(output);
  EXPECT_TRUE(found.select(1, 0).equal(output.select(1, 3)));
  EXPECT_TRUE(found.select(1, 1).equal(output.select(1, 0)));
}

TEST(RegionLogits, SigmoidProbabilitiesAreTurnedIntoTheirLogits) {
  const std::vector<float> probabilities = {1e-30F, 1e-7F, 1e-3F, 0.3F, 0.5F, 0.999F, 1.0F - 1e-7F};
  const at::Tensor output = at::tensor(probabilities).view({1, 1, -1});
  const at::Tensor found =
      region_logits(Activation::kSigmoid, Values::kProbabilities, 1, {{0}})(output);
  for (std::size_t n = 0; n < probabilities.size(); ++n) {
    const long double p = probabilities[n];
    EXPECT_NEAR(found[0][0][static_cast<std::int64_t>(n)].item<float>(),
                static_cast<double>(std::log(p) - std::log1p(-p)), 5e-6)
        << probabilities[n];
  }
}

TEST(RegionLogits, SoftmaxProbabilitiesAreTurnedIntoLogitsOfRegions) {
  const std::vector<std::vector<float>> voxels = {{0.2F, 0.2F, 0.2F, 0.2F, 0.2F},
                                                  {1.0F - 1e-7F, 1e-7F, 0.0F, 0.0F, 0.0F},
                                                  {1e-7F, 1e-9F, 1e-30F, 0.0F, 1.0F - 1e-7F},
                                                  {0.7F, 0.1F, 0.05F, 0.05F, 0.1F},
                                                  {0.0F, 0.5F, 0.0F, 0.5F, 0.0F}};
  const auto logits = region_logits(Activation::kSoftmax, Values::kProbabilities, 5, kRegions);
  for (const std::vector<float>& voxel : voxels) {
    const at::Tensor output = at::tensor(voxel);
    const at::Tensor found = logits(output.view({1, 5, 1}));
    for (std::size_t region = 0; region < kRegions.size(); ++region) {
      const auto expected = static_cast<double>(probability_logit(output, kRegions[region]));
      const double value = found[0][static_cast<std::int64_t>(region)][0].item<float>();
      if (std::isinf(expected)) {
        EXPECT_EQ(value, expected);
      } else {
        EXPECT_NEAR(value, expected, 1e-6 * (1.0 + std::abs(expected)));
      }
    }
  }
}

TEST(RegionLogits, ProbabilitiesOf0And1AreInfinitelyFarApart) {
  const at::Tensor single = at::tensor({0.0F, 1.0F}).view({1, 1, 2});
  const at::Tensor sigmoid =
      region_logits(Activation::kSigmoid, Values::kProbabilities, 1, {{0}})(single);
  EXPECT_EQ(sigmoid[0][0][0].item<float>(), -kFloatInfinity);
  EXPECT_EQ(sigmoid[0][0][1].item<float>(), kFloatInfinity);
  const at::Tensor pair = at::tensor({1.0F, 0.0F, 0.0F, 1.0F}).view({1, 2, 2});
  const at::Tensor softmax =
      region_logits(Activation::kSoftmax, Values::kProbabilities, 2, {{1}})(pair);
  EXPECT_EQ(softmax[0][0][0].item<float>(), -kFloatInfinity);
  EXPECT_EQ(softmax[0][0][1].item<float>(), kFloatInfinity);
}

// What rounding leaves of 0 and 1 counts as 0 and 1.
TEST(RegionLogits, ProbabilitiesBarelyOutsideTheirRangeAreTakenAsTheRangesEnds) {
  const at::Tensor single = at::tensor({-5e-4F, 1.0005F}).view({1, 1, 2});
  const at::Tensor sigmoid =
      region_logits(Activation::kSigmoid, Values::kProbabilities, 1, {{0}})(single);
  EXPECT_EQ(sigmoid[0][0][0].item<float>(), -kFloatInfinity);
  EXPECT_EQ(sigmoid[0][0][1].item<float>(), kFloatInfinity);
  const at::Tensor pair = at::tensor({1.0005F, -5e-4F}).view({1, 2, 1});
  EXPECT_EQ(
      region_logits(Activation::kSoftmax, Values::kProbabilities, 2, {{1}})(pair).item<float>(),
      -kFloatInfinity);
}

TEST(RegionLogits, HalfPrecisionIsTakenAsTheNumbersItHolds) {
  const at::Tensor output = random_logits(3.0F).to(at::kHalf);
  const auto logits = region_logits(Activation::kSoftmax, Values::kLogits, 5, kRegions);
  EXPECT_TRUE(logits(output).equal(logits(output.to(at::kFloat))));
  EXPECT_EQ(logits(output).scalar_type(), at::kFloat);
}

std::string values_refusal(Activation activation, const std::vector<float>& voxel) {
  const auto channels = static_cast<int>(voxel.size());
  try {
    region_logits(activation, Values::kProbabilities, channels,
                  {{0}})(at::tensor(voxel).view({1, channels, 1}));
  } catch (const ModelError& error) {
    return error.what();
  }
  return "no refusal";
}

TEST(RegionLogits, WhatAreNoProbabilitiesIsRefusedWithWhatWasFound) {
  const std::string end =
      " where model.json promises probabilities; set output.values to \"logits\", or correct "
      "output.activation";
  for (const Activation activation : {Activation::kSigmoid, Activation::kSoftmax}) {
    EXPECT_EQ(values_refusal(activation, {3.25F, 0.5F}),
              "the network gives a value of 3.250000" + end);
    EXPECT_EQ(values_refusal(activation, {0.5F, -0.25F}),
              "the network gives a value of -0.250000" + end);
    EXPECT_EQ(values_refusal(activation, {0.5F, kFloatInfinity}),
              "the network gives a value of inf" + end);
  }
  EXPECT_EQ(values_refusal(Activation::kSoftmax, {0.75F, 0.5F}),
            "the network gives channels whose sum is off 1 by 0.250000" + end);
  EXPECT_EQ(values_refusal(Activation::kSigmoid, {0.75F, 0.5F}), "no refusal");
}

TEST(RegionLogits, NaNPassesThroughToWhoeverReportsIt) {
  for (const Values values : {Values::kLogits, Values::kProbabilities}) {
    for (const Activation activation : {Activation::kSigmoid, Activation::kSoftmax}) {
      const at::Tensor output = at::tensor({0.5F, NAN, 0.5F, 0.5F}).view({1, 2, 2});
      const at::Tensor found = region_logits(activation, values, 2, {{0}})(output);
      EXPECT_FALSE(std::isnan(found[0][0][0].item<float>()));
      EXPECT_TRUE(std::isnan(found[0][0][1].item<float>()));
    }
  }
}

}  // namespace
}  // namespace mcvol
