#include "network/assembly/device_sums.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>
#include <vector>

#include "network/device/gpu_fixture.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::OnTheGpu;
using testing::SumsSink;

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
    const at::Tensor above =
        logits.narrow(0, 0, kPasses - 1).select(1, region).gt(0).sum(0).to(at::kInt).contiguous();
    const int* expected_above = above.const_data_ptr<int>();
    EXPECT_TRUE(std::equal(expected_above, expected_above + kVoxels,
                           sink.above_half.begin() + region * kVoxels));
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

}  // namespace
}  // namespace mcvol
