#include <algorithm>
#include <mutex>

#include "network/assembly/region_logits.h"
#include "network/run/torchscript_segmenter.h"
#include "zoo/zoo.h"
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace mcvol {
namespace {

using nlohmann::json;

constexpr double kWindowTolerance = 1e-4;

/// Keeps every logit: [pass, region, voxel].
class KeepingSink final : public LogitSink {
 public:
  KeepingSink(int passes, int regions, std::int64_t voxels)
      : logits_(at::full({passes, regions, voxels}, NAN, at::kFloat)) {}

  void accept(const LogitBlock& block) override {
    const std::lock_guard lock(mutex_);
    auto access = logits_.accessor<float, 3>();
    const float* next = block.logits.data();
    for (int pass = 0; pass < block.pass_count; ++pass) {
      for (int region = 0; region < block.region_count; ++region) {
        for (const std::int64_t voxel : block.voxels) {
          access[block.first_pass + pass][region][voxel] = *next++;
        }
      }
    }
  }
  const at::Tensor& logits() const { return logits_; }

 private:
  std::mutex mutex_;
  at::Tensor logits_;
};

Index3 index_of(const json& value) { return value.get<Index3>(); }

// Every voxel measured; the scan's image axes in the network's order, so that values of the tensor
// [d0, d1, d2] are those of image voxel (d0, d1, d2).
PreparedScan scan_of(const at::Tensor& image) {
  PreparedScan scan;
  scan.grid.size = {image.size(2), image.size(3), image.size(4)};
  scan.brain = Image<std::uint8_t>(scan.grid);
  std::fill(scan.brain.values.begin(), scan.brain.values.end(), std::uint8_t{1});
  scan.measured = scan.brain;
  const auto values = image.accessor<float, 5>();
  for (std::int64_t channel = 0; channel < image.size(1); ++channel) {
    scan.channels.emplace_back(scan.grid);
    for (std::int64_t k = 0; k < scan.grid.size[2]; ++k)
      for (std::int64_t j = 0; j < scan.grid.size[1]; ++j)
        for (std::int64_t i = 0; i < scan.grid.size[0]; ++i)
          scan.channels.back().at(i, j, k) = values[0][channel][i][j][k];
  }
  return scan;
}

Bundle bundle_of(const json& entry) {
  const auto& networks = testing::zoo().networks;
  const auto network = std::find_if(networks.begin(), networks.end(), [&](const auto& one) {
    return one.name == entry.at("network").get<std::string>();
  });
  Bundle bundle = network->bundle();
  bundle.networks.push_back({entry.at("file"), ""});
  bundle.window.input = bundle.window.output = index_of(entry.at("roi"));
  bundle.window.overlap = entry.at("overlap");
  bundle.window.blend = entry.at("blend") == "gaussian" ? Bundle::Window::Blend::kGaussian
                                                        : Bundle::Window::Blend::kConstant;
  bundle.window.anchor = Bundle::Window::Anchor::kImageCorner;
  return bundle;
}

class SlidingWindows : public ::testing::TestWithParam<json> {};

TEST_P(SlidingWindows, BlendEachPassAsMonaiDoesWithTheSameMasks) {
  const json& entry = GetParam();
  const Bundle bundle = bundle_of(entry);
  const Index3 size = index_of(entry.at("image"));
  const at::Tensor image = testing::zoo_image(
      {1, static_cast<std::int64_t>(bundle.channels.size()), size[0], size[1], size[2]});
  const auto passes = static_cast<int>(entry.at("passes").size());
  const std::int64_t voxels = size[0] * size[1] * size[2];

  TorchScriptSegmenter segmenter(
      bundle, {.device = "cpu", .threads = 2, .scope = dropout_scope_from(entry.at("scope"))});
  KeepingSink sink(passes, static_cast<int>(bundle.regions.size()), voxels);
  StageTimings timings;
  ASSERT_TRUE(segmenter.run(
      scan_of(image), {.passes = passes, .seed = testing::zoo().seed}, sink,
      [](double) { return true; }, timings));

  // MONAI's outputs at every stride-th voxel, turned into regions as ours are.
  const std::int64_t stride = entry.at("stride");
  const std::int64_t kept = (voxels + stride - 1) / stride;
  const auto& values = testing::zoo_array("sliding_windows.npz", entry.at("reference"));
  ASSERT_EQ(static_cast<std::int64_t>(values.size()), passes * bundle.output.channels * kept);
  const at::Tensor outputs = at::tensor(values, at::kFloat).view({passes, -1, kept});
  const at::Tensor expected = RegionLogits(bundle.output, bundle.regions)(outputs);

  // Ours are numbered in image order, x fastest; MONAI's in the tensor's, d2 fastest.
  const at::Tensor ours = sink.logits()
                              .view({passes, -1, size[2], size[1], size[0]})
                              .permute({0, 1, 4, 3, 2})
                              .flatten(2)
                              .slice(2, 0, std::nullopt, stride);
  const double scale = expected.abs().max().item<double>();
  EXPECT_LE((ours - expected).abs().max().item<double>(), kWindowTolerance * scale);
}

std::vector<json> entries() {
  const json& all = testing::zoo().sliding_windows;
  return {all.begin(), all.end()};
}

INSTANTIATE_TEST_SUITE_P(Zoo, SlidingWindows, ::testing::ValuesIn(entries()), [](const auto& info) {
  const json& entry = info.param;
  return entry.at("network").template get<std::string>() + "_" +
         entry.at("blend").template get<std::string>() + "_" +
         entry.at("scope").template get<std::string>() + "_" + std::to_string(info.index);
});

}  // namespace
}  // namespace mcvol
