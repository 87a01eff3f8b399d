#include "network/graph/dropout_graph.h"

#include "mcvol/error/error.h"

#include <string>

#include "network/graph/graph_fixture.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using namespace testing;

TEST(DropoutGraph, TheSameTensorDroppedTwiceIsTwoDraws) {
  const DropoutGraph network = load(
      "def forward(self, x):\n"
      "    return torch.dropout(x, 0.5, False) - torch.dropout(x, 0.5, False)\n");
  EXPECT_EQ(network.layers.size(), 2u);
  EXPECT_GT(run_whole(network, {}).abs().sum().item<double>(), 0.0);
}

// Two in-place operators on one storage: whoever reads it under its first name sees it dropped.
TEST(DropoutGraph, InPlaceDropoutIsSeenThroughEveryNameOfItsStorage) {
  const DropoutGraph network = load("def forward(self, x):\n    c = " MCVOL_CONV1
                                    "\n    d = torch.dropout_(torch.relu_(c), 0.5, True)\n"
                                    "    return d - c\n");
  EXPECT_EQ(run_whole(network, {}).abs().max().item<double>(), 0.0);
}

// Three draws keep an element with 0.5^3; one repeated three times would keep it with 0.5. 5,376
// elements: 5 SD are 0.023.
TEST(DropoutGraph, ALoopDrawsAnewInEachIteration) {
  const DropoutGraph network = load("def forward(self, x):\n    x = torch.ones_like(" MCVOL_CONV1
                                    ")\n    for i in range(3):\n"
                                    "        x = torch.dropout(x, 0.5, True)\n    return x\n");
  ASSERT_EQ(network.layers.size(), 3u);
  EXPECT_EQ(network.layers[2].id, 2);
  const at::Tensor kept = run_whole(network, {}) > 0;
  EXPECT_NEAR(kept.to(at::kDouble).mean().item<double>(), 0.125, 0.023);
}

TEST(DropoutGraph, APrefixWithoutDropoutIsLeftToRunOnce) {
  const DropoutGraph network = load(testing::pointwise_network().forward);
  EXPECT_TRUE(network.pointwise_suffix);
  EXPECT_EQ(network.split_at, "dropout 'forward'");
  EXPECT_EQ(network.prefix->outputs().size(), 1u);
  EXPECT_FALSE(load(testing::spatial_network().forward).pointwise_suffix);
}

TEST(DropoutGraph, DropoutThatEvalModeLeavesOutIsReportedAsLost) {
  const DropoutGraph network = load(
      "def forward(self, x):\n    if self.training:\n        x = torch.dropout(x, 0.5, True)\n"
      "    return torch.dropout(x, 0.1, True)\n");
  ASSERT_EQ(network.layers.size(), 2u);
  EXPECT_EQ(network.layers[0].fate, "active");
  EXPECT_EQ(network.layers[0].id, 0);
  EXPECT_EQ(network.layers[1].fate.substr(0, 4), "lost");
}

TEST(DropoutGraph, WhatEvalModeLeavesOutIsNoted) {
  const DropoutGraph network = load(
      "def forward(self, x):\n    if self.training:\n        x = x * torch.rand_like(x)\n"
      "        x = torch.dropout(x, 0.5, True)\n    return torch.dropout(x, 0.1, True)\n");
  ASSERT_EQ(network.notes.size(), 2u);
  EXPECT_NE(network.notes[0].find("aten::rand_like"), std::string::npos) << network.notes[0];
  EXPECT_NE(network.notes[1].find("1 dropout layer"), std::string::npos) << network.notes[1];
}

// Nothing in a traced file tells whether the tracer took a dropout's input for its output.
TEST(DropoutGraph, DropoutSwitchedOffAtExportIsNoted) {
  const DropoutGraph network =
      load("def forward(self, x):\n    return torch.dropout(x, 0.5, False)\n");
  ASSERT_EQ(network.notes.size(), 1u);
  EXPECT_NE(network.notes[0].find("trace in train mode"), std::string::npos);
  EXPECT_TRUE(load("def forward(self, x):\n    return torch.dropout(x, 0.5, self.training)\n")
                  .notes.empty());
}

TEST(DropoutGraph, ARateThatIsZeroInEvalModeOnlyIsNoted) {
  const DropoutGraph network = load(
      "def forward(self, x):\n    p = 0.5 if self.training else 0.\n"
      "    return torch.dropout(torch.dropout(x, p, True), 0.1, True)\n");
  EXPECT_EQ(network.layers.at(0).fate, "rate 0 in eval mode: does nothing");
  ASSERT_EQ(network.notes.size(), 1u);
  EXPECT_NE(network.notes[0].find("1 dropout layer"), std::string::npos) << network.notes[0];
}

// Ranks are written into the graph only where they are known: a mean over one axis has another.
TEST(DropoutGraph, RanksThatAreNotTheImagesStayAsTheyAre) {
  const DropoutGraph network = load(
      "def forward(self, x):\n    y = torch.mean(torch.dropout(x, 0.5, True), [2])\n"
      "    if y.dim() == 4:\n        return y\n    return y * 100\n");
  EXPECT_LT(run_whole(network, {}).abs().max().item<double>(), 20.0);
}

TEST(DropoutGraph, WhatANetworkPrintsIsNotPrinted) {
  ::testing::internal::CaptureStdout();
  const DropoutGraph network =
      load("def forward(self, x):\n    print('hello')\n    return torch.dropout(x, 0.5, True)\n");
  run_whole(network, {});
  EXPECT_EQ(::testing::internal::GetCapturedStdout(), "");
}

TEST(DropoutGraph, ABranchThatAnAttributeRulesOutMaySetOthers) {
  const DropoutGraph network = load(
      "def forward(self, x):\n    if self.training:\n        self.slope = x[0, :, 0, 0, 0]\n"
      "    return torch.dropout(x, 0.5, True)\n");
  EXPECT_EQ(network.layers.size(), 1u);
}

TEST(DropoutGraph, ChannelMasksNeedChannelsAtDimensionOne) {
  const std::string channels_last = "def forward(self, x):\n    x = torch.permute(" MCVOL_CONV1
                                    ", [0, 2, 3, 4, 1])\n"
                                    "    x = torch.dropout(torch.relu(x), 0.5, True)\n    return "
                                    "torch.permute(x, [0, 4, 1, 2, 3])\n";
  EXPECT_NO_THROW(load(channels_last, DropoutScope::kNative));
  try {
    load(channels_last, DropoutScope::kChannel);
    FAIL() << "expected an error";
  } catch (const ModelError& error) {
    EXPECT_NE(std::string(error.what()).find("use --scope native"), std::string::npos);
  }
  EXPECT_THROW(load("def forward(self, x):\n    x = torch.permute(" MCVOL_CONV1
                    ", [0, 2, 3, 4, 1])\n    x = torch.prelu(x, self.slope[:1])\n"
                    "    return torch.permute(torch.dropout(x, 0.5, True), [0, 4, 1, 2, 3])\n",
                    DropoutScope::kChannel),
               ModelError);
  EXPECT_NO_THROW(load("def forward(self, x):\n    y = " MCVOL_CONV1
                       "\n    y = torch.cat([y, x], 1).relu_()\n    y = torch.slice(y, 1, 0, 4)\n"
                       "    return torch.dropout(y * 2, 0.5, True)\n",
                       DropoutScope::kChannel));
}

TEST(DropoutGraph, RateZeroDoesNothingAndSaysSo) {
  const DropoutGraph network =
      load("def forward(self, x):\n    return torch.dropout(x, 0., True)\n");
  EXPECT_EQ(network.layers.at(0).fate, "rate 0: does nothing");
  EXPECT_FALSE(network.suffix);
}

TEST(DropoutGraph, ATrainingBatchNormUsesItsRunningStatistics) {
  const DropoutGraph network = load(
      "def forward(self, x):\n    x = " MCVOL_CONV1
      "\n"
      "    x = torch.batch_norm(x, None, None, self.mean, self.variance, True, 0.1, 1e-5, False)\n"
      "    return torch.dropout(x, 0.5, True)\n");
  ASSERT_EQ(network.notes.size(), 1u);
  EXPECT_NE(network.notes[0].find("batch norm"), std::string::npos);
}

TEST(DropoutGraph, OtherRandomNumbersAreRefusedByName) {
  const std::string error = error_of(
      "def forward(self, x):\n    return torch.dropout(x, 0.5, True) * torch.rand_like(x)\n");
  EXPECT_NE(error.find("aten::rand_like"), std::string::npos) << error;
}

TEST(DropoutGraph, DropoutInALoopOfUnknownLengthIsRefused) {
  const std::string error = error_of(
      "def forward(self, x):\n    for i in range(x.size(2)):\n"
      "        x = torch.dropout(x, 0.5, True)\n    return x\n");
  EXPECT_NE(error.find("loop"), std::string::npos) << error;
}

TEST(DropoutGraph, ARateComputedAtRunTimeIsRefused) {
  const std::string error =
      error_of("def forward(self, x):\n    return torch.dropout(x, 0.5 / x.size(2), True)\n");
  EXPECT_NE(error.find("rate"), std::string::npos) << error;
}

TEST(DropoutGraph, ABufferThatIsWrittenIntoIsNamedAndTracingIsNoAdvice) {
  const std::string error = error_of(
      "def forward(self, x):\n    self.mean.add_(1)\n"
      "    return torch.dropout(x, 0.5, False) + self.mean.sum()\n");
  EXPECT_NE(error.find("writes into its own buffers ('mean')"), std::string::npos) << error;
  EXPECT_EQ(error.find("trace"), std::string::npos) << error;
}

TEST(DropoutGraph, AForwardThatReturnsATupleIsRefused) {
  const std::string error = error_of("def forward(self, x):\n    return x, x\n");
  EXPECT_NE(error.find("expected one tensor"), std::string::npos) << error;
}

TEST(DropoutGraph, OneOfSeveralOutputsIsTaken) {
  constexpr const char* kTuple =
      "def forward(self, x):\n    y = torch.dropout(x, 0.5, False)\n    return y, 3 * y, 2\n";
  constexpr const char* kList =
      "def forward(self, x):\n    y = torch.dropout(x, 0.5, False)\n    return [y, 3 * y]\n";
  for (const char* forward : {kTuple, kList}) {
    const at::Tensor first = run_whole(load(forward, DropoutScope::kChannel, 0), MaskDraw{});
    const at::Tensor second = run_whole(load(forward, DropoutScope::kChannel, 1), MaskDraw{});
    EXPECT_TRUE((3 * first).equal(second)) << forward;
  }
}

TEST(DropoutGraph, AnOutputThatIsNotThereIsRefused) {
  const auto error = [](const std::string& forward, std::int64_t output) {
    try {
      load(forward, DropoutScope::kChannel, output);
    } catch (const ModelError& caught) {
      return std::string(caught.what());
    }
    return std::string("no error");
  };
  const std::string tuple = "def forward(self, x):\n    return x, 2\n";
  EXPECT_NE(error(tuple, 2).find("output.index of model.json is 2, and it has 2"),
            std::string::npos)
      << error(tuple, 2);
  EXPECT_NE(error(tuple, 1).find("says is int"), std::string::npos) << error(tuple, 1);
  const std::string one = "def forward(self, x):\n    return x\n";
  EXPECT_NE(error(one, 0).find("remove output.index"), std::string::npos) << error(one, 0);
}

TEST(DropoutGraph, AFileThatIsNoTorchScriptIsRefused) {
  try {
    load_dropout_graph("/dev/null", "network.pt", DropoutScope::kChannel);
    FAIL() << "expected an error";
  } catch (const ModelError& error) {
    EXPECT_NE(std::string(error.what()).find("torch.jit.save"), std::string::npos);
  }
}

}  // namespace
}  // namespace mcvol
