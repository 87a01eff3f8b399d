#include "network/kernels/cpu/channel_kernels.h"

#include <bit>
#include <cmath>
#include <limits>

#include "network/kernels/kernel_numbers.h"
#include "network/kernels/on_every_variant.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

// Rounded once each: what double makes of two floats, rounded to float, is the sum or the product
// that a float's arithmetic gives.
float sum(float a, float b) { return static_cast<float>(double{a} + b); }
float product(float a, float b) { return static_cast<float>(double{a} * b); }

void put(float value, float& to) { to = value; }

/// The nearer of the two numbers around it, of the even one where both are as near.
void put(float value, Bfloat16& to) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const auto below = static_cast<std::uint16_t>(bits >> 16);
  const auto above = static_cast<std::uint16_t>(below + 1);
  const double down = std::abs(double{value} - to_float(Bfloat16{below}));
  const double up = std::abs(double{to_float(Bfloat16{above})} - value);
  to.bits = down < up || (down == up && below % 2 == 0) ? below : above;
}

bool operator==(Bfloat16 a, Bfloat16 b) { return a.bits == b.bits; }

template <typename T>
std::vector<T> activation(std::int64_t count, std::uint32_t seed) {
  const std::vector<float> values = numbers(count, seed);
  std::vector<T> result(values.size());
  for (std::size_t n = 0; n < values.size(); ++n) put(values[n], result[n]);
  return result;
}

enum Steps : unsigned { kBefore = 1, kScale = 2, kEarly = 4, kSlope = 8, kLate = 16, kAfter = 32 };

/// Numbers for all of the steps, of which some are made.
template <typename T>
struct StepsCase {
  std::int64_t voxels, channels, count = voxels * channels;
  std::vector<T> input = activation<T>(count, 1), before = activation<T>(count, 2),
                 after = activation<T>(count, 3);
  std::vector<float> scale = numbers(channels, 4), shift = numbers(channels, 5),
                     early = numbers(channels, 6), slope = numbers(channels, 7),
                     late = numbers(channels, 8);
  std::vector<float> early_elements = numbers(count, 9), late_elements = numbers(count, 10);

  std::vector<T> result(unsigned made, bool of_elements, bool in_place) const {
    ChannelSteps<T> steps;
    if (made & kBefore) steps.before = before.data();
    if (made & kScale) steps.scale = ChannelTable(scale, channels);
    if (made & kScale) steps.shift = ChannelTable(shift, channels);
    if (made & kEarly && of_elements) steps.early_elements = early_elements;
    if (made & kEarly && !of_elements) steps.early = ChannelTable(early, channels);
    if (made & kSlope) steps.slope = ChannelTable(slope, channels);
    if (made & kLate && of_elements) steps.late_elements = late_elements;
    if (made & kLate && !of_elements) steps.late = ChannelTable(late, channels);
    if (made & kAfter) steps.after = after.data();
    std::vector<T> output = in_place ? input : std::vector<T>(input.size());
    apply_steps(in_place ? output.data() : input.data(), output.data(), count, channels, steps);
    return output;
  }

  T element(std::size_t n, unsigned made, bool of_elements) const {
    const std::size_t channel = n % static_cast<std::size_t>(channels);
    float x = to_float(input[n]);
    if (made & kBefore) x = sum(x, to_float(before[n]));
    if (made & kScale) x = sum(product(x, scale[channel]), shift[channel]);
    if (made & kEarly) x = product(x, of_elements ? early_elements[n] : early[channel]);
    if (made & kSlope && x <= 0.0F) x = product(x, slope[channel]);
    if (made & kLate) x = product(x, of_elements ? late_elements[n] : late[channel]);
    if (made & kAfter) x = sum(x, to_float(after[n]));
    T result;
    put(x, result);
    return result;
  }
};

template <typename T>
void expect_steps(std::int64_t voxels, std::int64_t channels) {
  const StepsCase<T> of{voxels, channels};
  for (unsigned made = 0; made < 64; ++made) {
    for (const bool of_elements : {false, true}) {
      const std::vector<T> found = of.result(made, of_elements, made % 3 == 0);
      for (std::size_t n = 0; n < found.size(); ++n) {
        ASSERT_TRUE(found[n] == of.element(n, made, of_elements))
            << channels << " channels, steps " << made << ", element " << n;
      }
    }
  }
}

class ChannelKernelsOnEveryVariant : public OnEveryVariant {};

TEST_P(ChannelKernelsOnEveryVariant, StepsAreThoseOfOneElementAfterTheOther) {
  for (const std::int64_t channels : {1, 3, 16, 25}) {
    for (const std::int64_t voxels : {std::int64_t{1}, std::int64_t{37}}) {
      expect_steps<float>(voxels, channels);
      expect_steps<Bfloat16>(voxels, channels);
    }
  }
  expect_steps<float>(voxels_at_a_time(50), 50);
}

TEST_P(ChannelKernelsOnEveryVariant, WhatIsNoNumberStaysNone) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  std::vector<Bfloat16> values(40, Bfloat16{0x7FC1});  // NaN
  const std::vector<float> largest{std::numeric_limits<float>::max()};
  values.push_back(Bfloat16{0x4000});  // 2
  ChannelSteps<Bfloat16> steps;
  steps.late = ChannelTable(largest, 1);
  apply_steps(values.data(), values.data(), std::ssize(values), 1, steps);
  for (std::size_t n = 0; n < 40; ++n) ASSERT_TRUE(std::isnan(to_float(values[n])));
  EXPECT_EQ(to_float(values.back()), kInfinity);
}

/// Moments of x + before in double.
template <typename T>
void expect_moments(const std::vector<T>& input, const std::vector<T>& before,
                    std::int64_t channels) {
  const std::int64_t voxels = std::ssize(input) / channels;
  const ChannelMoments found =
      channel_moments(input.data(), before.empty() ? nullptr : before.data(), voxels, channels);
  ASSERT_EQ(found.voxels, voxels);
  for (std::size_t channel = 0; channel < static_cast<std::size_t>(channels); ++channel) {
    const auto each = [&](const auto& work) {
      for (std::size_t n = channel; n < input.size(); n += static_cast<std::size_t>(channels)) {
        work(double{to_float(input[n])} + (before.empty() ? 0.0F : to_float(before[n])));
      }
    };
    double mean = 0.0, squares = 0.0;
    each([&](double x) { mean += x / static_cast<double>(voxels); });
    each([&](double x) { squares += (x - mean) * (x - mean); });
    // Fp32 sums of deviations from about the mean, and x + before as a float.
    const double deviation = std::sqrt(squares / static_cast<double>(voxels));
    const double rounding = std::numeric_limits<float>::epsilon() * std::abs(mean);
    ASSERT_NEAR(found.means[channel], mean, 1e-5 * deviation + rounding);
    ASSERT_NEAR(found.squares[channel], squares,
                1e-4 * squares + 4.0 * rounding * deviation * static_cast<double>(voxels) + 1e-12);
  }
}

TEST_P(ChannelKernelsOnEveryVariant, MomentsAreThoseOfDouble) {
  for (const std::int64_t channels : {1, 3, 16, 25, 64}) {
    for (const std::int64_t voxels : {1, 40, 3000}) {
      auto input = activation<float>(voxels * channels, 1);
      const auto before = activation<float>(voxels * channels, 2);
      expect_moments(input, {}, channels);
      expect_moments(input, before, channels);
      expect_moments(activation<Bfloat16>(voxels * channels, 3),
                     activation<Bfloat16>(voxels * channels, 4), channels);
      for (float& x : input) x += 1000.0F;
      expect_moments(input, {}, channels);
    }
  }
}

TEST_P(ChannelKernelsOnEveryVariant, MomentsHaveTheBitsOfTheBaseline) {
  const auto input = activation<float>(2000 * 25, 1), before = activation<float>(2000 * 25, 2);
  const ChannelMoments found = channel_moments(input.data(), before.data(), 2000, 25);
  variant_in_use = KernelVariant::kBaseline;
  const ChannelMoments baseline = channel_moments(input.data(), before.data(), 2000, 25);
  EXPECT_EQ(found.means, baseline.means);
  EXPECT_EQ(found.squares, baseline.squares);
}

INSTANTIATE_TEST_SUITE_P(, ChannelKernelsOnEveryVariant, kEveryVariant);

}  // namespace
}  // namespace mcvol
