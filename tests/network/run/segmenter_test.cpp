#include "mcvol/network/segmenter/segmenter.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <string>

#include "network/run/torchscript_segmenter.h"
#include "network/support/segmenter_fixtures.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::differing_values;
using testing::KeepingSink;
using testing::logits_of;
using testing::random_scan;
using testing::tiny_bundle;
using testing::TinyNetwork;

constexpr DropoutScope kScopes[] = {DropoutScope::kNative, DropoutScope::kChannel,
                                    DropoutScope::kElement};

// Windows, gathering, batching and the region logits are all on trial.
void expect_equal_to_whole_graph(const TinyNetwork& network, DropoutScope scope) {
  const Bundle bundle = tiny_bundle({network});
  const PreparedScan scan = random_scan({20, 17, 33}, 5);
  const PassRequest request{.passes = 6, .seed = 77};
  const auto logits = logits_of(bundle, scan, request, 2, scope);
  EXPECT_LT(testing::largest_difference_from_whole_graphs(logits, bundle, scan, request, scope),
            2e-4);
}

NetworkSummary summary_of(const TinyNetwork& network) {
  return load_torchscript_segmenter(tiny_bundle({network}), {.device = "cpu", .threads = 2})
      ->summary();
}

/// The spatial network with an expression of x [rows, 8, d0, d1, d2] among its stochastic features.
TinyNetwork mixing_network(const std::string& expression) {
  return {
      "def forward(self, x):\n"
      "    x = torch.relu(torch.conv3d(x, self.w1, self.b1, [1, 1, 1], [1, 1, 1]))\n"
      "    x = torch.dropout(x, 0.4, True)\n"
      "    x = torch.conv3d(x[:, :2] + x[:, 2:4], self.w1, self.b1, [1, 1, 1], [1, 1, 1])\n"
      "    x = " +
      expression +
      "\n"
      "    return torch.conv3d(torch.conv3d(x, self.w2, self.b2), self.w3, self.b3)\n"};
}

TEST(TorchScriptSegmenter, PointwiseSuffixGivesWhatTheWholeGraphGives) {
  for (const DropoutScope scope : kScopes) {
    expect_equal_to_whole_graph(testing::pointwise_network(), scope);
  }
}

TEST(TorchScriptSegmenter, SpatialSuffixGivesWhatTheWholeGraphGives) {
  for (const DropoutScope scope : kScopes) {
    expect_equal_to_whole_graph(testing::spatial_network(), scope);
  }
}

TEST(TorchScriptSegmenter, ThreadCountDoesNotChangeABit) {
  for (const auto& network : {testing::pointwise_network(), testing::spatial_network()}) {
    const Bundle bundle = tiny_bundle({network});
    const PreparedScan scan = random_scan({40, 33, 30}, 8);
    const PassRequest request{.passes = 5, .seed = 1};
    const auto one = logits_of(bundle, scan, request, 1);
    EXPECT_EQ(differing_values(one, logits_of(bundle, scan, request, 2)), 0u);
    EXPECT_EQ(differing_values(one, logits_of(bundle, scan, request, 3)), 0u);
  }
}

TEST(TorchScriptSegmenter, MorePassesLeaveTheFirstOnesAsTheyWere) {
  const Bundle bundle = tiny_bundle({testing::pointwise_network()});
  const PreparedScan scan = random_scan({20, 20, 20}, 2);
  const auto few = logits_of(bundle, scan, {.passes = 4, .seed = 3}, 2);
  const auto many = logits_of(bundle, scan, {.passes = 9, .seed = 3}, 2);
  for (std::size_t pass = 0; pass < few.size(); ++pass) EXPECT_EQ(few[pass], many[pass]);
}

// Three windows of 16^3 voxels and 8 features of 4 bytes.
TEST(TorchScriptSegmenter, WhatWindowsNeedOnceIsKeptForMorePassesAsFarAsMemoryGoes) {
  constexpr std::int64_t kWindowBytes = 16 * 16 * 16 * 8 * 4;
  const Bundle bundle = tiny_bundle({testing::pointwise_network()});
  const PreparedScan scan = random_scan({48, 16, 16}, 2);
  const auto at_once = logits_of(bundle, scan, {.passes = 9, .seed = 3}, 2);
  // With the same threads: each has scratch memory of its own.
  const std::int64_t window_bytes =
      load_torchscript_segmenter(bundle, {.device = "cpu", .threads = 2})->summary().window_bytes;
  for (const std::int64_t windows : {3, 2, 0}) {
    const SegmenterOptions options{
        .device = "cpu", .threads = 2, .memory_bytes = window_bytes + windows * kWindowBytes + 1};
    TorchScriptSegmenter segmenter(bundle, options);
    KeepingSink sink(9, 2,
                     static_cast<std::size_t>(
                         std::count(scan.measured.values.begin(), scan.measured.values.end(), 1)));
    const auto go_on = [](double) { return true; };
    StageTimings timings;
    segmenter.run(scan, {.passes = 4, .seed = 3, .continued = true}, sink, go_on, timings);
    EXPECT_EQ(segmenter.kept_bytes(), windows * kWindowBytes);
    segmenter.run(scan, {.passes = 5, .seed = 3, .first_pass = 4}, sink, go_on, timings);
    EXPECT_EQ(segmenter.kept_bytes(), 0);
    EXPECT_EQ(differing_values(sink.values(), at_once), 0u);
  }
}

TEST(TorchScriptSegmenter, AnotherScanDoesNotGetWhatWasKeptOfTheOneBefore) {
  const Bundle bundle = tiny_bundle({testing::pointwise_network()});
  const PreparedScan scan = random_scan({20, 20, 20}, 2), other = random_scan({20, 20, 20}, 3);
  const auto segmenter = load_torchscript_segmenter(bundle, {.device = "cpu", .threads = 1});
  const PassRequest request{.passes = 3, .continued = true};
  logits_of(*segmenter, bundle, scan, request);
  EXPECT_EQ(differing_values(logits_of(*segmenter, bundle, other, request),
                             logits_of(bundle, other, {.passes = 3}, 1)),
            0u);
}

TEST(TorchScriptSegmenter, AnotherSeedGivesOtherPasses) {
  const Bundle bundle = tiny_bundle({testing::pointwise_network()});
  const PreparedScan scan = random_scan({16, 16, 16}, 2);
  EXPECT_NE(logits_of(bundle, scan, {.passes = 1, .seed = 3}, 2),
            logits_of(bundle, scan, {.passes = 1, .seed = 4}, 2));
}

TEST(TorchScriptSegmenter, StopsWhenAskedTo) {
  const Bundle bundle = tiny_bundle({testing::spatial_network()});
  const PreparedScan scan = random_scan({33, 33, 33}, 2);
  const auto segmenter = load_torchscript_segmenter(bundle, {.device = "cpu", .threads = 1});
  KeepingSink sink(3, 2, scan.measured.values.size());
  StageTimings timings;
  int asked = 0;
  EXPECT_FALSE(segmenter->run(
      scan, {.passes = 3}, sink, [&](double) { return ++asked < 5; }, timings));
  EXPECT_EQ(asked, 5);
}

TEST(TorchScriptSegmenter, TheSummaryCountsTheWorkOnBothSides) {
  const Bundle bundle = tiny_bundle({testing::pointwise_network()});
  const auto segmenter = load_torchscript_segmenter(bundle, {.device = "cpu", .threads = 1});
  const NetworkSummary& summary = segmenter->summary();
  EXPECT_NEAR(summary.prefix_gflop * 1e9, 2.0 * 8 * 2 * 27 * 4096, 1.0);
  EXPECT_NEAR(summary.suffix_gflop * 1e9, 2.0 * (6 * 8 + 3 * 6) * 4096, 1.0);
  EXPECT_TRUE(summary.pointwise_suffix);
  EXPECT_EQ(summary.dropout.size(), 2u);
}

// What is joined to a convolution's result waits below its arguments on the interpreter's stack.
TEST(TorchScriptSegmenter, TheSummaryCountsAConvolutionWhoseResultIsJoinedToAnother) {
  const TinyNetwork network = {R"(
def forward(self, x):
    x = torch.feature_dropout(x, 0.3, False)
    y = torch.cat([x, x, x, torch.conv3d(x, self.w1[:2], None, [1, 1, 1], [1, 1, 1])], 1)
    return torch.conv3d(torch.conv3d(y, self.w2, self.b2), self.w3, self.b3)
)"};
  const NetworkSummary summary = summary_of(network);
  EXPECT_NEAR(summary.suffix_gflop * 1e9, 2.0 * (2 * 2 * 27 + 6 * 8 + 3 * 6) * 4096, 1.0);
}

// A batch of passes would give each the others' statistics; one at a time is what they mean.
TEST(TorchScriptSegmenter, ANetworkThatMixesTheRowsOfABatchRunsOnePassAtATime) {
  const std::string batch_norm =
      "torch.batch_norm(x, None, None, None, None, True, 0.1, 1e-5, False)";
  for (const auto& [mixing, name] :
       {std::pair<std::string, std::string>(batch_norm, "aten::batch_norm"),
        std::pair<std::string, std::string>("x.flip([0])", "aten::flip")}) {
    const TinyNetwork network = mixing_network(mixing);
    const NetworkSummary summary = summary_of(network);
    EXPECT_EQ(summary.passes_per_batch, 1) << mixing;
    EXPECT_EQ(summary.notes, std::vector<std::string>{"Passes run one at a time: in a batch " +
                                                      name + " mixes them."});
    expect_equal_to_whole_graph(network, DropoutScope::kElement);
  }
}

// As traces have it.
TEST(TorchScriptSegmenter, ANetworkWithABatchOfOneWrittenInRunsOnePassAtATime) {
  const TinyNetwork network = mixing_network("x.view(1, 8, 16, 256).view(1, 8, 16, 16, 16)");
  const NetworkSummary summary = summary_of(network);
  EXPECT_EQ(summary.passes_per_batch, 1);
  EXPECT_EQ(summary.notes,
            std::vector<std::string>{"Passes run one at a time: the network takes no batches."});
  expect_equal_to_whole_graph(network, DropoutScope::kElement);
}

/// Products of all rows with one another, in code for a batch of one. Few passes draw differently.
TEST(TorchScriptSegmenter,
     PassesThatProductsOfTheWholeBatchMixRunOneAtATimeHoweverSeldomTheyDiffer) {
  TinyNetwork network = mixing_network(
      "x * torch.matmul(x.reshape([x.size(0) * 8, -1]), x.reshape([x.size(0) * 8, -1]).t())"
      ".mean(1).reshape([x.size(0), 8, 1, 1, 1])");
  const std::size_t rate = network.forward.find("0.4");
  network.forward.replace(rate, 3, "1e-6");
  EXPECT_EQ(summary_of(network).passes_per_batch, 1);
}

TEST(TorchScriptSegmenter, AnOperatorNotKnownToBeInvariantRunsOnePassAtATimeAndIsNamed) {
  for (const auto& [expression, name] :
       {std::pair<std::string, std::string>("torch.cumsum(x, 2)", "aten::cumsum"),
        std::pair<std::string, std::string>("x - 0.5 * x.mean([0], True)", "aten::mean")}) {
    const TinyNetwork network = mixing_network(expression);
    const NetworkSummary summary = summary_of(network);
    EXPECT_EQ(summary.passes_per_batch, 1) << name;
    EXPECT_EQ(summary.notes,
              (std::vector<std::string>{
                  "Passes run one at a time: " + name + " may round differently in a batch.",
                  "These operators run on one thread: " + name + "."}));
    expect_equal_to_whole_graph(network, DropoutScope::kElement);
  }
}

// The operators before the first draw among them.
TEST(TorchScriptSegmenter, WhateverRunsOnOneThreadIsNamedInOneLine) {
  const TinyNetwork network = {R"(
def forward(self, x):
    x = torch.conv3d(torch.cumsum(x, 2), self.w1, self.b1, [1, 1, 1], [1, 1, 1])
    x = torch.dropout(x - torch.logcumsumexp(x, 2), 0.4, True)
    return torch.conv3d(torch.conv3d(x, self.w2, self.b2), self.w3, self.b3)
)"};
  EXPECT_EQ(summary_of(network).notes,
            std::vector<std::string>{
                "These operators run on one thread: aten::cumsum, aten::logcumsumexp."});
}

TEST(TorchScriptSegmenter, PassesThatABatchLeavesAloneRunInBatchesWithoutANote) {
  const NetworkSummary summary = summary_of(mixing_network("x - 1.0"));
  EXPECT_EQ(summary.passes_per_batch, 4);
  EXPECT_EQ(summary.notes, std::vector<std::string>{});
}

std::string load_error(const TinyNetwork& network, const std::string& device = "cpu") {
  try {
    load_torchscript_segmenter(tiny_bundle({network}), {.device = device, .threads = 1});
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
