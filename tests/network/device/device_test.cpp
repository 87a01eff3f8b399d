#include <cmath>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "network/device/gpu_fixture.h"
#include "network/run/torchscript_segmenter.h"
#include "network/support/segmenter_fixtures.h"
#include <gtest/gtest.h>

// What a network gives on a GPU is what it gives on the CPU.

namespace mcvol {
namespace {

using testing::Logits;
using testing::OnTheGpu;
using testing::SumsSink;

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
  const std::size_t regions = bundle().regions.size(), voxels = sink.above_half.size() / regions;
  for (std::size_t region = 0; region < regions; ++region) {
    const auto counts = sink.above_half.begin() + static_cast<std::ptrdiff_t>(region * voxels);
    const std::int64_t counted =
        std::accumulate(counts, counts + static_cast<std::ptrdiff_t>(voxels), std::int64_t{0});
    std::int64_t of_passes = 0;
    for (int pass = 0; pass < request_.passes; ++pass) {
      const std::size_t at = region * logits.size() + static_cast<std::size_t>(pass);
      of_passes += sink.histograms[at].above_half();
    }
    EXPECT_EQ(counted, of_passes);
  }
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
  EXPECT_EQ(in_parts.above_half, at_once.above_half);
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
