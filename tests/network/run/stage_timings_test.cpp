#include "mcvol/timing/stage_timings.h"

#include <optional>
#include <string>
#include <vector>

#include "network/run/torchscript_segmenter.h"
#include "network/support/segmenter_fixtures.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::TinyNetwork;

struct TimedNetwork {
  const char* name;
  std::vector<TinyNetwork> networks;
  Bundle::Window::Blend blend = Bundle::Window::Blend::kNone;
  bool has_dropout = true;
};

void PrintTo(const TimedNetwork& subject, std::ostream* stream) { *stream << subject.name; }

TinyNetwork plain_network() {
  return {
      "def forward(self, x):\n"
      "    x = torch.conv3d(x, self.w1, self.b1, [1, 1, 1], [1, 1, 1])\n"
      "    return torch.conv3d(torch.conv3d(x, self.w2, self.b2), self.w3, self.b3)\n"};
}

class StagesOfANetwork : public ::testing::TestWithParam<TimedNetwork> {};

// Which share of the whole they are is the machine's affair.
TEST_P(StagesOfANetwork, AddUpToNoMoreThanItsTime) {
  Bundle bundle = testing::tiny_bundle(GetParam().networks);
  bundle.window.blend = GetParam().blend;
  if (bundle.window.blend != Bundle::Window::Blend::kNone) bundle.window.overlap = 0.5;
  const PreparedScan scan = testing::random_scan({40, 40, 40}, 7);
  for (const int threads : {1, 3}) {
    TorchScriptSegmenter segmenter(bundle, {.device = "cpu", .threads = threads});
    testing::KeepingSink sink(8, bundle.regions.size(), scan.measured.values.size());
    StageTimings timings;
    timed(timings.network_s, [&] {
      segmenter.run(
          scan, {.passes = 8}, sink, [](double) { return true; }, timings);
    });
    const double sum_s = timings.prefix_s + timings.suffix_s + timings.accumulate_s;
    EXPECT_LE(sum_s, timings.network_s);
    EXPECT_GT(timings.prefix_s, 0.0);
    EXPECT_GT(timings.accumulate_s, 0.0);
    if (GetParam().has_dropout) {
      EXPECT_GT(timings.suffix_s, 0.0);
    } else {
      EXPECT_EQ(timings.suffix_s, 0.0);
    }
    // The others are not the network's.
    EXPECT_EQ(timings.read_s, 0.0);
    EXPECT_EQ(timings.prepare_s, 0.0);
    EXPECT_EQ(timings.write_s, 0.0);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Networks, StagesOfANetwork,
    ::testing::Values(
        TimedNetwork{"pointwise", {testing::pointwise_network()}},
        TimedNetwork{"spatial", {testing::spatial_network()}},
        TimedNetwork{"blended", {testing::pointwise_network()}, Bundle::Window::Blend::kGaussian},
        TimedNetwork{"without_dropout",
                     {plain_network(), network_without_dropout()},
                     Bundle::Window::Blend::kNone,
                     false}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace mcvol
