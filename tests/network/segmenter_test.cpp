#include "mcvol/network/segmenter.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <random>

#include "network/dropout_graph.h"
#include "network/dropout_operator.h"
#include "network/graph_runner.h"
#include "network/tiny_network.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace mcvol {
namespace {

std::filesystem::path test_folder() {
  return std::filesystem::path(::testing::TempDir()) /
         ("segmenter_" +
          std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
}

Bundle tiny_bundle(const testing::TinyNetwork& network) {
  const auto folder = test_folder();
  testing::write_tiny_bundle(folder, network);
  return read_bundle(folder);
}

PreparedScan random_scan(const Index3& size, unsigned seed) {
  PreparedScan scan;
  scan.grid.size = size;
  std::mt19937 generator(seed);
  std::normal_distribution<float> intensity;
  scan.brain = Image<std::uint8_t>(scan.grid);
  for (int channel = 0; channel < 2; ++channel) scan.channels.emplace_back(scan.grid);
  for (std::size_t i = 0; i < scan.brain.values.size(); ++i) {
    scan.brain.values[i] = generator() % 3 != 0 ? 1 : 0;
    for (auto& channel : scan.channels) {
      channel.values[i] = scan.brain.values[i] != 0 ? intensity(generator) : 0.0F;
    }
  }
  scan.measured = scan.brain;
  return scan;
}

/// Keeps every logit: [pass][region][voxel].
class KeepingSink final : public LogitSink {
 public:
  KeepingSink(int passes, int regions, std::size_t voxels)
      : values_(static_cast<std::size_t>(passes),
                std::vector<std::vector<float>>(static_cast<std::size_t>(regions),
                                                std::vector<float>(voxels, NAN))) {}

  void accept(const LogitBlock& block) override {
    const std::lock_guard lock(mutex_);
    std::size_t next = 0;
    for (int pass = 0; pass < block.pass_count; ++pass) {
      for (int region = 0; region < block.region_count; ++region) {
        for (const std::int64_t voxel : block.voxels) {
          auto& value = values_.at(static_cast<std::size_t>(block.first_pass + pass))
                            .at(static_cast<std::size_t>(region))
                            .at(static_cast<std::size_t>(voxel));
          EXPECT_TRUE(std::isnan(value)) << "given twice";
          value = block.logits[next++];
        }
      }
    }
  }
  const auto& values() const { return values_; }

 private:
  std::mutex mutex_;
  std::vector<std::vector<std::vector<float>>> values_;
};

std::vector<std::vector<std::vector<float>>> logits_of(
    const Bundle& bundle, const PreparedScan& scan, const PassRequest& request, int threads,
    DropoutScope scope = DropoutScope::kChannel) {
  const auto segmenter =
      load_segmenter(bundle, {.device = "cpu", .threads = threads, .scope = scope});
  const auto voxels = static_cast<std::size_t>(
      std::count(scan.measured.values.begin(), scan.measured.values.end(), 1));
  KeepingSink sink(request.passes, 2, voxels);
  EXPECT_TRUE(segmenter->run(scan, request, sink, [](double) { return true; }));
  return sink.values();
}

// Voxel by voxel against the network run whole, window by window, with the operator's own masks:
// windows, gathering, batching and the region logits are all on trial.
void expect_equal_to_whole_graph(const testing::TinyNetwork& network, DropoutScope scope) {
  const Bundle bundle = tiny_bundle(network);
  const PreparedScan scan = random_scan({20, 17, 33}, 5);
  const PassRequest request{.passes = 6, .seed = 77};
  const auto values = logits_of(bundle, scan, request, 2, scope);

  const DropoutGraph graph = load_dropout_graph(bundle.folder / "network.pt", "network.pt", scope);
  const GraphRunner whole(graph.whole);
  std::vector<Index3> measured;
  for (std::int64_t k = 0; k < 33; ++k)
    for (std::int64_t j = 0; j < 17; ++j)
      for (std::int64_t i = 0; i < 20; ++i)
        if (scan.measured.at(i, j, k) != 0) measured.push_back({i, j, k});

  double largest = 0.0;
  for (std::int64_t z = 0; z < 33; z += 16) {
    for (std::int64_t y = 0; y < 17; y += 16) {
      for (std::int64_t x = 0; x < 20; x += 16) {
        at::Tensor input = at::zeros({1, 2, 16, 16, 16});
        auto access = input.accessor<float, 5>();
        for (int c = 0; c < 2; ++c)
          for (std::int64_t i = 0; i < 16; ++i)
            for (std::int64_t j = 0; j < 16; ++j)
              for (std::int64_t k = 0; k < 16; ++k)
                if (x + i < 20 && y + j < 17 && z + k < 33)
                  access[0][c][i][j][k] =
                      scan.channels[static_cast<std::size_t>(c)].at(x + i, y + j, z + k);
        for (int pass = 0; pass < request.passes; ++pass) {
          const MaskDraw draw{.seed = 77,
                              .pass = static_cast<std::uint32_t>(pass),
                              .window = {static_cast<std::int32_t>(x), static_cast<std::int32_t>(y),
                                         static_cast<std::int32_t>(z)}};
          const at::Tensor probability =
              at::softmax(
                  whole.run({input, make_draws({draw}, 0), at::empty({0}, at::kLong)}).front(), 1)
                  .to(at::kDouble);
          auto p = probability.accessor<double, 5>();
          for (std::size_t n = 0; n < measured.size(); ++n) {
            const auto [i, j, k] = measured[n];
            if (i < x || i >= x + 16 || j < y || j >= y + 16 || k < z || k >= z + 16) continue;
            const double background = p[0][0][i - x][j - y][k - z];
            const double one = p[0][1][i - x][j - y][k - z];
            const double two = p[0][2][i - x][j - y][k - z];
            const auto& of_pass = values[static_cast<std::size_t>(pass)];
            largest =
                std::max(largest, std::abs(of_pass[0][n] - std::log((one + two) / background)));
            largest =
                std::max(largest, std::abs(of_pass[1][n] - std::log(two / (background + one))));
          }
        }
      }
    }
  }
  EXPECT_LT(largest, 2e-4);
}

TEST(TorchScriptSegmenter, PointwiseSuffixGivesWhatTheWholeGraphGives) {
  for (const DropoutScope scope :
       {DropoutScope::kNative, DropoutScope::kChannel, DropoutScope::kElement}) {
    expect_equal_to_whole_graph(testing::pointwise_network(), scope);
  }
}

TEST(TorchScriptSegmenter, SpatialSuffixGivesWhatTheWholeGraphGives) {
  for (const DropoutScope scope :
       {DropoutScope::kNative, DropoutScope::kChannel, DropoutScope::kElement}) {
    expect_equal_to_whole_graph(testing::spatial_network(), scope);
  }
}

TEST(TorchScriptSegmenter, ThreadCountDoesNotChangeABit) {
  for (const auto& network : {testing::pointwise_network(), testing::spatial_network()}) {
    const Bundle bundle = tiny_bundle(network);
    const PreparedScan scan = random_scan({40, 33, 30}, 8);
    const PassRequest request{.passes = 5, .seed = 1};
    const auto one = logits_of(bundle, scan, request, 1);
    EXPECT_EQ(one, logits_of(bundle, scan, request, 2));
    EXPECT_EQ(one, logits_of(bundle, scan, request, 3));
  }
}

TEST(TorchScriptSegmenter, MorePassesLeaveTheFirstOnesAsTheyWere) {
  const Bundle bundle = tiny_bundle(testing::pointwise_network());
  const PreparedScan scan = random_scan({20, 20, 20}, 2);
  const auto few = logits_of(bundle, scan, {.passes = 4, .seed = 3}, 2);
  const auto many = logits_of(bundle, scan, {.passes = 9, .seed = 3}, 2);
  for (std::size_t pass = 0; pass < few.size(); ++pass) EXPECT_EQ(few[pass], many[pass]);
}

TEST(TorchScriptSegmenter, AnotherSeedGivesOtherPasses) {
  const Bundle bundle = tiny_bundle(testing::pointwise_network());
  const PreparedScan scan = random_scan({16, 16, 16}, 2);
  EXPECT_NE(logits_of(bundle, scan, {.passes = 1, .seed = 3}, 2),
            logits_of(bundle, scan, {.passes = 1, .seed = 4}, 2));
}

TEST(TorchScriptSegmenter, StopsWhenAskedTo) {
  const Bundle bundle = tiny_bundle(testing::spatial_network());
  const PreparedScan scan = random_scan({33, 33, 33}, 2);
  const auto segmenter = load_segmenter(bundle, {.device = "cpu", .threads = 1});
  KeepingSink sink(3, 2, scan.measured.values.size());
  int asked = 0;
  EXPECT_FALSE(segmenter->run(scan, {.passes = 3}, sink, [&](double) { return ++asked < 5; }));
  EXPECT_EQ(asked, 5);
}

TEST(TorchScriptSegmenter, TheSummaryCountsTheWorkOnBothSides) {
  const Bundle bundle = tiny_bundle(testing::pointwise_network());
  const auto segmenter = load_segmenter(bundle, {.device = "cpu", .threads = 1});
  const NetworkSummary& summary = segmenter->summary();
  EXPECT_NEAR(summary.prefix_gflop * 1e9, 2.0 * 8 * 2 * 27 * 4096, 1.0);
  EXPECT_NEAR(summary.suffix_gflop * 1e9, 2.0 * (6 * 8 + 3 * 6) * 4096, 1.0);
  EXPECT_TRUE(summary.pointwise_suffix);
  EXPECT_EQ(summary.dropout.size(), 2u);
}

std::string load_error(const testing::TinyNetwork& network, const std::string& device = "cpu") {
  try {
    load_segmenter(tiny_bundle(network), {.device = device, .threads = 1});
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(LoadSegmenter, ANetworkWithoutActiveDropoutIsRefusedWithTheReason) {
  const std::string none = load_error({"def forward(self, x):\n    return x\n"});
  EXPECT_NE(none.find("no dropout layer"), std::string::npos) << none;
  const std::string zero =
      load_error({"def forward(self, x):\n    return torch.dropout(x, 0., True)\n"});
  EXPECT_NE(zero.find("rate 0"), std::string::npos) << zero;
}

TEST(LoadSegmenter, AnOutputThatIsNotWhatModelJsonSaysIsRefused) {
  const std::string error =
      load_error({"def forward(self, x):\n"
                  "    return torch.dropout(torch.conv3d(x, self.w1, self.b1), 0.5, True)\n"});
  EXPECT_NE(error.find("1x8x14x14x14"), std::string::npos) << error;
  EXPECT_NE(error.find("1x3x16x16x16"), std::string::npos) << error;
}

TEST(LoadSegmenter, ANetworkThatCannotTakeTheWindowIsRefusedWithTheCause) {
  const std::string error =
      load_error({"def forward(self, x):\n    return torch.dropout(x, 0.5, True).view(3)\n"});
  EXPECT_NE(error.find("does not run on an input of 2 channels"), std::string::npos) << error;
}

TEST(LoadSegmenter, AGpuThatIsNotThereIsRefused) {
  const std::string error = load_error(testing::pointwise_network(), "cuda:99");
  EXPECT_NE(error.find("--device cuda:99"), std::string::npos) << error;
  EXPECT_NE(load_error(testing::pointwise_network(), "tpu").find("expected auto"),
            std::string::npos);
}

}  // namespace
}  // namespace mcvol
