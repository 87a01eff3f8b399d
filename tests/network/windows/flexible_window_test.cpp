#include "network/windows/flexible_window.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "network/run/torchscript_segmenter.h"
#include "network/support/segmenter_fixtures.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using Triple = std::array<std::int64_t, 3>;
using Blend = Bundle::Window::Blend;

constexpr std::int64_t kMiB = std::int64_t{1} << 20;

Bundle::Window window_of(const Triple& output, std::int64_t margin = 0) {
  Bundle::Window window;
  window.output = output;
  for (std::size_t d = 0; d < 3; ++d) window.input[d] = output[d] + 2 * margin;
  window.flexible = true;
  return window;
}

std::int64_t product(const Triple& sizes) { return sizes[0] * sizes[1] * sizes[2]; }

TEST(GrownWindow, IsTheBundlesOwnWhereTheMemoryHoldsNoMore) {
  for (const std::int64_t memory : {std::int64_t{0}, 100 * kMiB, 199 * kMiB}) {
    const Bundle::Window grown = grown_window(window_of({64, 48, 32}), 100 * kMiB, memory);
    EXPECT_EQ(grown.output, (Triple{64, 48, 32}));
    EXPECT_EQ(grown.input, (Triple{64, 48, 32}));
  }
}

TEST(GrownWindow, GrowsToTheMostCubicOfTheLargestMultiplesThatFit) {
  // Eight windows' worth: 2x2x2 rather than 1x1x8 or 4x2x1.
  EXPECT_EQ(grown_window(window_of({16, 16, 16}), kMiB, 8 * kMiB).output, (Triple{32, 32, 32}));
  EXPECT_EQ(grown_window(window_of({32, 16, 16}), kMiB, 4 * kMiB).output, (Triple{32, 32, 32}));
  // A little less than eight: seven along one dimension beat 2x3x1.
  EXPECT_EQ(product(grown_window(window_of({16, 16, 16}), kMiB, 8 * kMiB - 1).output),
            std::int64_t{7} * 16 * 16 * 16);
}

TEST(GrownWindow, ItsMarginDoesNotGrow) {
  const Bundle::Window grown = grown_window(window_of({9, 9, 9}, 8), kMiB, 20 * kMiB);
  EXPECT_GT(product(grown.output), 9 * 9 * 9);
  for (std::size_t d = 0; d < 3; ++d) EXPECT_EQ(grown.input[d], grown.output[d] + 16);
}

TEST(GrownWindow, StopsAt192VoxelsOrTheBundlesOwnSize) {
  const std::int64_t much = std::int64_t{1} << 50;
  EXPECT_EQ(grown_window(window_of({64, 96, 80}), kMiB, much).output, (Triple{192, 192, 160}));
  EXPECT_EQ(grown_window(window_of({97, 192, 256}), kMiB, much).output, (Triple{97, 192, 256}));
  EXPECT_EQ(grown_window(window_of({1, 1, 1}), 1, much).output, (Triple{192, 192, 192}));
}

// An overlap of 7/8 of 8 voxels is a step of 1: 8 windows over a voxel along a dimension, 512 in
// all. Of 16 it is a step of 2, which makes 9.
TEST(GrownWindow, StaysWhereItIsRatherThanBlendMoreWindowsThanTheSumsHold) {
  Bundle::Window window = window_of({8, 8, 8});
  window.blend = Blend::kConstant;
  window.overlap = 0.875;
  ASSERT_EQ(window.most_over_a_voxel(), 512);
  EXPECT_EQ(grown_window(window, 1, std::int64_t{1} << 40).output, (Triple{8, 8, 8}));
}

bool is_allowed(const Bundle::Window& own, const Triple& factors, double bytes_per_voxel,
                std::int64_t memory) {
  Bundle::Window grown = own;
  for (std::size_t d = 0; d < 3; ++d) {
    grown.output[d] = own.output[d] * factors[d];
    grown.input[d] = own.input[d] + grown.output[d] - own.output[d];
    if (factors[d] > 1 && grown.output[d] > 192) return false;
  }
  return bytes_per_voxel * static_cast<double>(product(grown.input)) <=
             static_cast<double>(memory) &&
         grown.most_over_a_voxel() <= Bundle::Window::kMostBlended;
}

TEST(GrownWindow, IsAllowedAndNoOtherMultipleIsLargerOrAsLargeAndMoreCubic) {
  std::mt19937 generator(5);
  for (int n = 0; n < 200; ++n) {
    Bundle::Window own = window_of({0, 0, 0});
    for (std::size_t d = 0; d < 3; ++d) {
      own.output[d] = 4 + static_cast<std::int64_t>(generator() % 90);
      own.input[d] = own.output[d] + 2 * static_cast<std::int64_t>(generator() % 10);
    }
    own.blend = static_cast<Blend>(generator() % 3);
    if (own.blend != Blend::kNone) own.overlap = static_cast<double>(generator() % 80) / 100.0;
    if (own.most_over_a_voxel() > Bundle::Window::kMostBlended) continue;
    const std::int64_t bytes = 1 + static_cast<std::int64_t>(generator() % 1000000);
    const std::int64_t memory = bytes * static_cast<std::int64_t>(1 + generator() % 300);
    const double per_voxel = static_cast<double>(bytes) / static_cast<double>(product(own.input));

    const Bundle::Window grown = grown_window(own, bytes, memory);
    Triple taken;
    for (std::size_t d = 0; d < 3; ++d) {
      ASSERT_EQ(grown.output[d] % own.output[d], 0);
      taken[d] = grown.output[d] / own.output[d];
    }
    ASSERT_TRUE(taken == (Triple{1, 1, 1}) || is_allowed(own, taken, per_voxel, memory));
    const std::int64_t longest = *std::max_element(grown.output.begin(), grown.output.end());
    for (Triple f = {1, 1, 1}; f[0] <= 48; ++f[0])
      for (f[1] = 1; f[1] <= 48; ++f[1])
        for (f[2] = 1; f[2] <= 48; ++f[2]) {
          const Triple output = {own.output[0] * f[0], own.output[1] * f[1], own.output[2] * f[2]};
          if (product(output) < product(grown.output)) continue;
          if (!is_allowed(own, f, per_voxel, memory)) continue;
          ASSERT_EQ(product(output), product(grown.output));
          ASSERT_GE(*std::max_element(output.begin(), output.end()), longest);
        }
  }
}

Bundle flexible_bundle(const testing::TinyNetwork& network, Blend blend) {
  Bundle bundle = testing::tiny_bundle({network});
  bundle.window.input = bundle.window.output = {13, 11, 9};
  bundle.window.blend = blend;
  bundle.window.overlap = blend == Blend::kNone ? 0.0 : 0.5;
  bundle.window.flexible = true;
  return bundle;
}

std::unique_ptr<Segmenter> load(const Bundle& bundle, std::int64_t memory, int threads) {
  return load_torchscript_segmenter(bundle,
                                    {.device = "cpu", .threads = threads, .memory_bytes = memory});
}

// Against a bundle whose window is of that size to begin with.
TEST(FlexibleWindow, GivesTheBitsOfAFixedWindowOfTheSizeItGrewTo) {
  for (const Blend blend : {Blend::kNone, Blend::kGaussian}) {
    Bundle bundle = flexible_bundle(testing::spatial_network(), blend);
    const auto flexible = load(bundle, 64 * kMiB, 2);
    const NetworkSummary summary = flexible->summary();
    EXPECT_GT(product(summary.window_output), 13 * 11 * 9);
    const PreparedScan scan = testing::random_scan({31, 29, 27}, 3);
    const PassRequest request{.passes = 3, .seed = 2};
    const auto logits = testing::logits_of(*flexible, bundle, scan, request);
    for (const auto& of_pass : logits)
      for (const auto& of_region : of_pass)
        for (const float logit : of_region) ASSERT_TRUE(std::isfinite(logit));
    bundle.window.flexible = false;
    bundle.window.input = summary.window_input;
    bundle.window.output = summary.window_output;
    const auto fixed = load(bundle, 64 * kMiB, 1);
    EXPECT_EQ(testing::differing_values(logits, testing::logits_of(*fixed, bundle, scan, request)),
              0u);
  }
}

TEST(FlexibleWindow, IsTheSameForTheSameMemoryOnAnyThreads) {
  for (const auto& network : {testing::spatial_network(), testing::pointwise_network()}) {
    const Bundle bundle = flexible_bundle(network, Blend::kGaussian);
    for (const std::int64_t memory : {8 * kMiB, 33 * kMiB}) {
      const NetworkSummary one = load(bundle, memory, 1)->summary();
      for (const int threads : {2, 3, 5}) {
        const NetworkSummary more = load(bundle, memory, threads)->summary();
        EXPECT_EQ(more.window_output, one.window_output) << threads << " threads";
        EXPECT_EQ(more.window_input, one.window_input);
      }
    }
  }
}

// The network is probed twice, on the bundle's window and on the grown one.
TEST(FlexibleWindow, SuffixRunsOnMeasuredVoxelsInTheGrownWindowToo) {
  const Bundle bundle = flexible_bundle(testing::pointwise_network(), Blend::kNone);
  const NetworkSummary summary = load(bundle, 33 * kMiB, 1)->summary();
  EXPECT_GT(product(summary.window_output), 13 * 11 * 9);
  EXPECT_TRUE(summary.pointwise_suffix);
  EXPECT_EQ(summary.passes_per_batch, 4);
}

TEST(FlexibleWindow, TakesNoMoreThanHalfOfTheMemoryAndAtLeastTheBundlesOwn) {
  const Bundle bundle = flexible_bundle(testing::spatial_network(), Blend::kNone);
  const std::int64_t own = load(bundle, 1, 1)->summary().window_bytes;
  EXPECT_EQ(load(bundle, 1, 1)->summary().window_output, (Triple{13, 11, 9}));
  for (const std::int64_t times : {3, 8, 20, 50}) {
    const NetworkSummary summary = load(bundle, own * times, 1)->summary();
    EXPECT_LE(summary.window_bytes, own * times * 51 / 100);
    EXPECT_GE(product(summary.window_output),
              std::max<std::int64_t>(times / 2 - 1, 1) * 13 * 11 * 9 / 2);
  }
}

}  // namespace
}  // namespace mcvol
