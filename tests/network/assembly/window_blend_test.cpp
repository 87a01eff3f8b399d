#include "network/assembly/window_blend.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <thread>

#include "network/windows/importance_map.h"
#include "network/windows/window_plan.h"
#include "support/infinity.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

/// What a window gives, for one pass.
struct Output {
  std::vector<std::int64_t> voxels;
  std::vector<float> weights;
  std::vector<float> values;  ///< [channels, voxels]
};

/// Outputs of random voxels, which together cover all of them; weights as small as a Gaussian's.
std::vector<Output> random_outputs(std::int64_t voxels, int channels, int count, unsigned seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> exponent(-3.0F, 0.0F);
  std::normal_distribution<float> value(0.0F, 10.0F);
  std::vector<Output> outputs(static_cast<std::size_t>(count));
  for (int n = 0; n < count; ++n) {
    Output& output = outputs[static_cast<std::size_t>(n)];
    for (std::int64_t voxel = 0; voxel < voxels; ++voxel) {
      if (n > 0 && generator() % 3 == 0) continue;
      output.voxels.push_back(voxel);
      output.weights.push_back(std::pow(10.0F, exponent(generator)));
    }
    output.values.resize(output.voxels.size() * static_cast<std::size_t>(channels));
    for (float& of_voxel : output.values) of_voxel = value(generator);
  }
  return outputs;
}

std::vector<float> means_of(const WindowBlend& blend, int pass, std::int64_t voxels, int channels) {
  std::vector<float> means(static_cast<std::size_t>(voxels * channels));
  blend.means(pass, 0, voxels, means);
  return means;
}

std::vector<float> blended(const std::vector<Output>& outputs, std::int64_t voxels, int channels) {
  WindowBlend blend(voxels, channels, 1);
  for (const Output& output : outputs) {
    blend.add_weights(output.voxels, output.weights);
    blend.add(0, output.voxels, output.weights, output.values);
  }
  return means_of(blend, 0, voxels, channels);
}

TEST(WindowBlend, MeansAgreeWithDoubleArithmetic) {
  constexpr std::int64_t kVoxels = 1301;
  const auto outputs = random_outputs(kVoxels, 2, 27, 1);
  const auto means = blended(outputs, kVoxels, 2);
  for (std::size_t channel = 0; channel < 2; ++channel) {
    std::vector<double> sums(kVoxels), weights(kVoxels);
    for (const Output& output : outputs) {
      for (std::size_t n = 0; n < output.voxels.size(); ++n) {
        const auto voxel = static_cast<std::size_t>(output.voxels[n]);
        const double value = output.values[channel * output.voxels.size() + n];
        sums[voxel] += value * output.weights[n];
        weights[voxel] += output.weights[n];
      }
    }
    for (std::size_t voxel = 0; voxel < kVoxels; ++voxel) {
      EXPECT_NEAR(means[channel * kVoxels + voxel], sums[voxel] / weights[voxel], 1e-6);
    }
  }
}

TEST(WindowBlend, TheOrderOfWindowsChangesNoBit) {
  constexpr std::int64_t kVoxels = 700;
  auto outputs = random_outputs(kVoxels, 3, 64, 2);
  const auto expected = blended(outputs, kVoxels, 3);
  std::mt19937 generator(3);
  for (int trial = 0; trial < 5; ++trial) {
    std::shuffle(outputs.begin(), outputs.end(), generator);
    EXPECT_EQ(blended(outputs, kVoxels, 3), expected);
  }
}

TEST(WindowBlend, ThreadsThatShareThePassesAndVoxelsChangeNoBit) {
  constexpr std::int64_t kVoxels = 4000;
  constexpr int kPasses = 3;
  const auto outputs = random_outputs(kVoxels, 1, 9, 4);
  const auto expected = blended(outputs, kVoxels, 1);
  WindowBlend blend(kVoxels, 1, kPasses);
  for (const Output& output : outputs) blend.add_weights(output.voxels, output.weights);
  for (const Output& output : outputs) {
    const std::size_t half = output.voxels.size() / 2;
    std::vector<std::thread> threads;
    for (int pass = 0; pass < kPasses; ++pass) {
      for (const std::size_t begin : {std::size_t{0}, half}) {
        const std::size_t count = begin == 0 ? half : output.voxels.size() - half;
        threads.emplace_back([&blend, &output, pass, begin, count] {
          blend.add(pass, std::span(output.voxels).subspan(begin, count),
                    std::span(output.weights).subspan(begin, count),
                    std::span(output.values).subspan(begin, count));
        });
      }
    }
    for (std::thread& thread : threads) thread.join();
  }
  for (int pass = 0; pass < kPasses; ++pass) {
    EXPECT_EQ(means_of(blend, pass, kVoxels, 1), expected);
  }
}

TEST(WindowBlend, MeansOfAPartAreThatPartOfTheMeans) {
  constexpr std::size_t kVoxels = 50;
  const auto outputs = random_outputs(kVoxels, 2, 4, 5);
  const auto all = blended(outputs, kVoxels, 2);
  WindowBlend blend(kVoxels, 2, 2);
  for (const Output& output : outputs) {
    blend.add_weights(output.voxels, output.weights);
    blend.add(1, output.voxels, output.weights, output.values);
  }
  std::vector<float> part(2 * 7);
  blend.means(1, 31, 7, part);
  for (std::size_t n = 0; n < 7; ++n) {
    EXPECT_EQ(part[n], all[31 + n]);
    EXPECT_EQ(part[7 + n], all[kVoxels + 31 + n]);
  }
  EXPECT_EQ(means_of(blend, 0, kVoxels, 2), std::vector<float>(2 * kVoxels, 0.0F));
}

TEST(WindowBlend, InfinitiesAndLargeValuesCountAsTheLimit) {
  WindowBlend blend(4, 1, 1);
  blend.add_weights(std::vector<std::int64_t>{0, 1, 2, 3}, std::vector<float>(4, 1.0F));
  blend.add(0, std::vector<std::int64_t>{0, 1, 2, 3}, std::vector<float>(4, 1.0F),
            std::vector<float>{kFloatInfinity, -kFloatInfinity, 1e30F, 65535.0F});
  EXPECT_EQ(means_of(blend, 0, 4, 1),
            (std::vector<float>{65536.0F, -65536.0F, 65536.0F, 65535.0F}));
}

TEST(WindowBlend, TheMostWindowsOfTheLargestValuesFit) {
  WindowBlend blend(2, 1, 1);
  const std::vector<std::int64_t> voxels = {0, 1};
  const std::vector<float> weights = {1.0F, 1.0F};
  for (std::int64_t n = 0; n < Bundle::Window::kMostBlended; ++n) {
    blend.add_weights(voxels, weights);
    blend.add(0, voxels, weights, std::vector<float>{kFloatInfinity, -kFloatInfinity});
  }
  EXPECT_EQ(means_of(blend, 0, 2, 1), (std::vector<float>{65536.0F, -65536.0F}));
}

TEST(WindowBlend, ANanIsRefusedWhereverItIs) {
  for (const std::size_t where : {std::size_t{0}, std::size_t{1777}, std::size_t{1999}}) {
    Output output = random_outputs(1000, 2, 1, 6).front();
    output.values[where] = std::numeric_limits<float>::quiet_NaN();
    try {
      blended({output}, 1000, 2);
      ADD_FAILURE() << "no error for NaN at " << where;
    } catch (const InputError& error) {
      EXPECT_STREQ(error.what(), "the network gave a voxel no probability (NaN)");
    }
  }
}

TEST(WindowBlend, AVoxelInNoWindowIsAnError) {
  WindowBlend blend(3, 1, 1);
  blend.add_weights(std::vector<std::int64_t>{0, 2}, std::vector<float>{1.0F, 0.5F});
  std::vector<float> one(1), three(3);
  EXPECT_NO_THROW(blend.means(0, 2, 1, one));
  EXPECT_THROW(blend.means(0, 0, 3, three), Error);
}

TEST(WindowBlend, ClearingForgetsTheValuesAndKeepsTheWeights) {
  const std::vector<std::int64_t> voxels = {0, 1};
  const std::vector<float> weights = {0.25F, 1.0F};
  WindowBlend blend(2, 1, 1);
  blend.add_weights(voxels, weights);
  blend.add(0, voxels, weights, std::vector<float>{5.0F, 6.0F});
  blend.clear();
  blend.add(0, voxels, weights, std::vector<float>{-3.0F, 7.0F});
  EXPECT_EQ(means_of(blend, 0, 2, 1), (std::vector<float>{-3.0F, 7.0F}));
}

TEST(WindowBlend, BytesAreASumPerChannelAndPassAndAWeightPerVoxel) {
  EXPECT_EQ(WindowBlend::bytes(1'500'000, 3, 20), 1'500'000 * (3 * 20 + 1) * std::int64_t{8});
}

/// A scan that is measured whole, and what MONAI gives for eight of its values: those of two
/// channels at the first voxel, at (2, 3, 1), at (1, 5, 3) and at the last one.
struct MonaiCase {
  Index3 size;
  std::array<std::int64_t, 3> window;
  double overlap;
  Bundle::Window::Blend blend;
  std::array<float, 8> expected;
};

// MONAI 1.6.1 on numpy-ordered images of arange(voxels) * 0.05 - 2:
//   def net(x):
//     n = torch.arange(x[0, 0].numel(), dtype=torch.float32).reshape(x.shape[2:])
//     return torch.cat([x * torch.sin(0.7 * n), x + 0.01 * n], 1)
//   sliding_window_inference(image[None, None], window, 1, net, overlap=overlap, mode=blend)
const MonaiCase kMonaiCases[] = {
    {{7, 6, 5},
     {4, 4, 4},
     0.5,
     Bundle::Window::Blend::kGaussian,
     {0.0F, -2.0F, 1.165492F, 2.162599F, 0.655749F, 1.201966F, 0.992281F, 9.08F}},
    {{7, 6, 5},
     {4, 3, 5},
     0.4,
     Bundle::Window::Blend::kConstant,
     {0.0F, -2.0F, 0.210643F, 2.01F, 0.613768F, 1.18F, -3.746021F, 9.04F}},
    {{3, 6, 4},
     {5, 4, 5},
     0.25,
     Bundle::Window::Blend::kGaussian,
     {-1.981215F, -1.8F, 0.824861F, 1.712088F, 0.083436F, 0.93F, -1.44065F, 2.33F}}};

/// The network above on a window that is measured inside the scan; outside nobody asks.
void add_window(const MonaiCase& of, const Window& window, const WindowVoxels& list,
                const std::vector<float>& importance, WindowBlend& blend) {
  const std::size_t count = list.voxels.size();
  std::vector<float> weights(count), values(2 * count);
  for (std::size_t n = 0; n < count; ++n) {
    const std::int64_t offset = list.tile_offsets[n];
    const Index3 index = {window.output_begin[0] + offset / (of.window[1] * of.window[2]),
                          window.output_begin[1] + offset / of.window[2] % of.window[1],
                          window.output_begin[2] + offset % of.window[2]};
    const std::int64_t order = (index[0] * of.size[1] + index[1]) * of.size[2] + index[2];
    const float image = static_cast<float>(order) * 0.05F - 2.0F;
    weights[n] = importance[static_cast<std::size_t>(offset)];
    values[n] = image * std::sin(0.7F * static_cast<float>(offset));
    values[count + n] = image + 0.01F * static_cast<float>(offset);
  }
  blend.add_weights(list.voxels, weights);
  blend.add(0, list.voxels, weights, values);
}

TEST(WindowBlend, WindowsBlendAsInMonai) {
  for (const MonaiCase& of : kMonaiCases) {
    Grid grid;
    grid.size = of.size;
    Bundle::Window window;
    window.input = window.output = of.window;
    window.overlap = of.overlap;
    window.blend = of.blend;
    window.anchor = Bundle::Window::Anchor::kImageCorner;
    const WindowPlan plan(Image<std::uint8_t>(grid, 1), window, {0, 1, 2});
    const auto importance = importance_map(window.output, window.blend);
    WindowBlend blend(plan.measured_voxels(), 2, 1);
    for (const Window& placed : plan.windows) {
      add_window(of, placed, plan.voxels_of(placed), importance, blend);
    }
    const auto voxels = static_cast<std::size_t>(plan.measured_voxels());
    const auto means = means_of(blend, 0, plan.measured_voxels(), 2);
    const std::int64_t asked[] = {0, grid.offset(2, 3, 1), grid.offset(1, 5, 3),
                                  plan.measured_voxels() - 1};
    for (std::size_t n = 0; n < 8; ++n) {
      const std::size_t voxel = static_cast<std::size_t>(asked[n / 2]) + n % 2 * voxels;
      EXPECT_NEAR(means[voxel], of.expected[n], 5e-6F) << n;
    }
  }
}

}  // namespace
}  // namespace mcvol
