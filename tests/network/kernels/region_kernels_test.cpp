#include "network/kernels/cpu/region_kernels.h"

#include <cmath>
#include <limits>
#include <vector>

#include "network/kernels/kernel_numbers.h"
#include "network/kernels/on_every_variant.h"
#include "support/infinity.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

/// Values of a softmax, channels last or planar.
struct RegionCase {
  int channels;
  std::int64_t count;
  std::vector<float> values;
  bool channels_last = true;

  std::vector<float> logits(std::span<const std::uint32_t> regions) const {
    std::vector<float> result(regions.size() * static_cast<std::size_t>(count));
    softmax_region_logits(values.data(), count, channels_last ? channels : 1,
                          channels_last ? 1 : count, channels, regions, result.data(), count);
    return result;
  }

  float value(std::int64_t voxel, int channel) const {
    return values[static_cast<std::size_t>(channels_last ? voxel * channels + channel
                                                         : channel * count + voxel)];
  }

  /// Log-sum-exp over the channels of these bits, in double.
  double log_sum(std::int64_t voxel, std::uint32_t bits) const {
    double most = -kFloatInfinity, sum = 0.0;
    for (int channel = 0; channel < channels; ++channel) {
      if (bits >> channel & 1u) most = std::max(most, double{value(voxel, channel)});
    }
    for (int channel = 0; channel < channels; ++channel) {
      if (bits >> channel & 1u) sum += std::exp(value(voxel, channel) - most);
    }
    return most + std::log(sum);
  }
};

void expect_logits(const RegionCase& of, std::span<const std::uint32_t> regions, double tolerance) {
  const std::vector<float> found = of.logits(regions);
  const auto all = static_cast<std::uint32_t>((std::uint64_t{1} << of.channels) - 1);
  for (std::size_t region = 0; region < regions.size(); ++region) {
    for (std::int64_t voxel = 0; voxel < of.count; ++voxel) {
      const double expected =
          of.log_sum(voxel, regions[region]) - of.log_sum(voxel, all & ~regions[region]);
      ASSERT_NEAR(
          found[region * static_cast<std::size_t>(of.count) + static_cast<std::size_t>(voxel)],
          expected, tolerance)
          << of.channels << " channels, region " << region << ", voxel " << voxel;
    }
  }
}

RegionCase random_case(int channels, std::int64_t count, float scale, bool channels_last) {
  std::vector<float> values = numbers(channels * count, 1);
  for (float& value : values) value *= scale;
  return {channels, count, std::move(values), channels_last};
}

class RegionKernelsOnEveryVariant : public OnEveryVariant {};

TEST_P(RegionKernelsOnEveryVariant, LogitsAreLogSumExpOfTheRegionLessThatOfTheRest) {
  constexpr std::uint32_t kRegions[] = {0b1110, 0b1010, 0b1000, 0b0101};
  for (const float scale : {0.1F, 3.0F, 20.0F, 100.0F}) {
    for (const std::int64_t count : {1, 255, 256, 700}) {
      for (const bool channels_last : {false, true}) {
        expect_logits(random_case(4, count, scale, channels_last), kRegions,
                      5e-7 * (1.0 + 4.0 * scale));
      }
    }
  }
}

TEST_P(RegionKernelsOnEveryVariant, LogitsMayBeOfTwoChannelsAndOfThirtyTwo) {
  constexpr std::uint32_t kOne[] = {0b10}, kMany[] = {0x80000001u, 0x0000FFFFu};
  expect_logits(random_case(2, 300, 5.0F, true), kOne, 1e-5);
  expect_logits(random_case(32, 300, 5.0F, true), kMany, 1e-5);
}

TEST_P(RegionKernelsOnEveryVariant, LogitsFarApartNeitherOverflowNorVanish) {
  constexpr std::uint32_t kRegions[] = {0b0001, 0b0010, 0b0110, 0b1000, 0b0111};
  const RegionCase of{4, 1, {1e4F, -1e4F, 0.0F, -kFloatInfinity}};
  EXPECT_EQ(of.logits(kRegions),
            (std::vector<float>{1e4F, -2e4F, -1e4F, -kFloatInfinity, kFloatInfinity}));
}

TEST_P(RegionKernelsOnEveryVariant, LogitsAreNanWhereAChannelIs) {
  RegionCase of = random_case(4, 300, 1.0F, true);
  for (std::size_t voxel = 0; voxel < 300; voxel += 7) {
    of.values[4 * voxel + voxel % 4] = std::numeric_limits<float>::quiet_NaN();
  }
  constexpr std::uint32_t kRegion[] = {0b0110};
  const std::vector<float> found = of.logits(kRegion);
  for (std::size_t voxel = 0; voxel < 300; ++voxel) {
    EXPECT_EQ(std::isnan(found[voxel]), voxel % 7 == 0) << voxel;
  }
}

TEST_P(RegionKernelsOnEveryVariant, LogitsHaveTheBitsOfTheBaseline) {
  constexpr std::uint32_t kRegions[] = {0b1110, 0b1010};
  const RegionCase of = random_case(4, 2000, 30.0F, false);
  const std::vector<float> found = of.logits(kRegions);
  variant_in_use = KernelVariant::kBaseline;
  EXPECT_EQ(found, of.logits(kRegions));
}

INSTANTIATE_TEST_SUITE_P(, RegionKernelsOnEveryVariant, kEveryVariant);

}  // namespace
}  // namespace mcvol
