#include "network/graph/dropout_graph.h"

#include "mcvol/error/error.h"

#include <string>

#include "network/convolutions/convolutions.h"
#include "network/dropout/dropout_operator.h"
#include "network/graph/graph_runner.h"
#include "network/support/tiny_network.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace mcvol {
namespace {

DropoutGraph load(const std::string& forward, DropoutScope scope = DropoutScope::kElement) {
  const auto file = std::filesystem::path(::testing::TempDir()) /
                    ("dropout_graph_" +
                     std::string(::testing::UnitTest::GetInstance()->current_test_info()->name())) /
                    "network.pt";
  testing::save_network({forward}, file);
  return load_dropout_graph(file, "network.pt", scope);
}

std::string error_of(const std::string& forward) {
  try {
    load(forward);
  } catch (const ModelError& error) {
    return error.what();
  }
  return "no error";
}

const at::Tensor& image() {
  static const at::Tensor tensor = [] {
    at::manual_seed(3);
    return at::randn({1, 2, 8, 7, 6});
  }();
  return tensor;
}

std::vector<MaskDraw> passes(int count) {
  std::vector<MaskDraw> rows(static_cast<std::size_t>(count));
  for (std::size_t row = 0; row < rows.size(); ++row) {
    rows[row].pass = static_cast<std::uint32_t>(row);
  }
  return rows;
}

at::Tensor run_whole(const DropoutGraph& network, const MaskDraw& draw) {
  return GraphRunner(network.whole)
      .run({image().clone(), make_draws({draw}, 0), at::empty({0}, at::kLong)})
      .front();
}

std::vector<at::Tensor> run_prefix(const DropoutGraph& network) {
  return GraphRunner(network.prefix).run({image().clone()});
}

at::Tensor run_suffix(const DropoutGraph& network, const std::vector<at::Tensor>& cut,
                      const std::vector<MaskDraw>& rows) {
  std::vector<at::Tensor> inputs;
  for (const at::Tensor& tensor : cut) {
    std::vector<std::int64_t> sizes = tensor.sizes().vec();
    sizes[0] = static_cast<std::int64_t>(rows.size());
    inputs.push_back(tensor.expand(sizes));
  }
  inputs.push_back(make_draws(rows, 0));
  inputs.push_back(at::empty({0}, at::kLong));
  return GraphRunner(network.suffix).run(inputs).front();
}

struct Form {
  const char* name;
  const char* forward;
};

class SplitEqualsWhole : public ::testing::TestWithParam<Form> {};

// Every form must give the same bits cut in two as whole, pass by pass, and passes must differ.
TEST_P(SplitEqualsWhole, BitForBitForEveryPass) {
  for (const DropoutScope scope :
       {DropoutScope::kNative, DropoutScope::kChannel, DropoutScope::kElement}) {
    DropoutGraph network = load(GetParam().forward, scope);
    ASSERT_TRUE(network.suffix) << "no active dropout";
    for (const auto& graph : {network.whole, network.prefix, network.suffix}) {
      use_invariant_convolutions(graph);
    }
    const auto rows = passes(3);
    // One prefix for all passes, as in a run: no pass may change what the next one reads.
    const std::vector<at::Tensor> cut = run_prefix(network);
    std::vector<at::Tensor> before;
    for (const at::Tensor& tensor : cut) before.push_back(tensor.clone());
    for (const MaskDraw& row : rows) {
      EXPECT_TRUE(run_suffix(network, cut, {row}).equal(run_whole(network, row)));
    }
    const at::Tensor batch = run_suffix(network, cut, rows);
    EXPECT_FALSE(batch[0].equal(batch[1]) && batch[0].equal(batch[2]));
    for (std::size_t n = 0; n < rows.size(); ++n) {
      const at::Tensor row = batch.narrow(0, static_cast<std::int64_t>(n), 1);
      EXPECT_TRUE(row.allclose(run_whole(network, rows[n]), 1e-4, 1e-4));
    }
    for (std::size_t n = 0; n < cut.size(); ++n) EXPECT_TRUE(cut[n].equal(before[n]));
  }
}

#define MCVOL_CONV1 "torch.conv3d(x, self.w1, self.b1, [1, 1, 1], [1, 1, 1])"

const Form kForms[] = {
    {"FunctionalOff",
     "def forward(self, x):\n    x = " MCVOL_CONV1 "\n    return torch.dropout(x, 0.5, False)\n"},
    {"FunctionalOn",
     "def forward(self, x):\n    x = " MCVOL_CONV1 "\n    return torch.dropout(x, 0.5, True)\n"},
    {"FunctionalAsTheModule", "def forward(self, x):\n    x = " MCVOL_CONV1
                              "\n    return torch.dropout(x, 0.5, self.training)\n"},
    {"InPlace",
     "def forward(self, x):\n    x = " MCVOL_CONV1 "\n    x = torch.dropout_(x, 0.5, True)\n"
     "    return torch.conv3d(x, self.w2, self.b2)\n"},
    {"InPlaceResultThrownAway",
     "def forward(self, x):\n    x = " MCVOL_CONV1 "\n    torch.dropout_(x, 0.5, True)\n"
     "    return torch.conv3d(x, self.w2, self.b2)\n"},
    {"Feature", "def forward(self, x):\n    x = " MCVOL_CONV1
                "\n    return torch.feature_dropout(x, 0.5, True)\n"},
    {"Alpha", "def forward(self, x):\n    x = " MCVOL_CONV1
              "\n    return torch.alpha_dropout(x, 0.5, True)\n"},
    {"FeatureAlpha", "def forward(self, x):\n    x = " MCVOL_CONV1
                     "\n    return torch.feature_alpha_dropout(x, 0.5, True)\n"},
    // must not become one draw
    {"SameTensorTwice",
     "def forward(self, x):\n    x = " MCVOL_CONV1
     "\n    return torch.dropout(x, 0.5, False) - torch.dropout(x, 0.5, False)\n"},
    {"SkipConnectionAndSizes",
     "def forward(self, x):\n    x = " MCVOL_CONV1
     "\n    y = torch.cat([torch.dropout(x, 0.5, False), x], 1)\n"
     "    return y.view(y.size(0), 16, x.size(2), x.size(3), x.size(4))\n"},
    {"LoopOfConstantLength",
     "def forward(self, x):\n    x = " MCVOL_CONV1
     "\n    for i in range(3):\n        x = torch.dropout(x, 0.3, False) + 0.5\n    return x\n"},
    // checks that raise, on both sides of the cut
    {"ChecksThatRaise",
     "def forward(self, x):\n"
     "    assert x.size(2) % 2 == 0, 'odd'\n"
     "    x = " MCVOL_CONV1 "\n    y = torch.dropout(x, 0.5, False)\n"
     "    assert y.size(3) > 3, 'small'\n"
     "    y = torch.relu(y) + x\n"
     "    assert x.size(1) == 8, 'channels'\n    return y\n"},
    {"DropoutInARowOfChecks", "def forward(self, x):\n    x = " MCVOL_CONV1 "\n"
                              "    for p in [0.2, 0.3]:\n"
                              "        assert x.dim() == 5, 'rank'\n"
                              "        x = torch.feature_dropout(x, p, False)\n    return x\n"},
    {"InPlaceAfterAnotherInPlace",
     "def forward(self, x):\n    c = " MCVOL_CONV1 "\n"
     "    d = torch.dropout_(torch.relu_(c), 0.5, True)\n    return d * 2 + c\n"},
    {"InPlaceOnTheImage", "def forward(self, x):\n    x.mul_(2)\n    y = torch.dropout(" MCVOL_CONV1
                          ", 0.5, True)\n    return torch.cat([y, x], 1)\n"},
    {"InPlaceDropoutOfTheImage",
     "def forward(self, x):\n    torch.dropout_(x, 0.5, True)\n    return torch.cat([x, x], 1)\n"},
    // a draw put into a list or dictionary that is read again
    {"ListThatGrows",
     "def forward(self, x):\n    s = [" MCVOL_CONV1 "]\n    for i in range(3):\n"
     "        s.append(torch.dropout(torch.cat(s, 1)[:, -8:], 0.3, True) + s[0])\n    "
     "return s[-1] + s[1]\n"},
    {"ListItemReplacedUnderACondition",
     "def forward(self, x):\n    y = " MCVOL_CONV1 "\n    s = [y, y * 2]\n    t = s\n"
     "    if x.size(2) > 4:\n        s[0] = torch.dropout(y, 0.5, True)\n    return t[0] + y\n"},
    {"AppendedUnderACondition",
     "def forward(self, x):\n    y = " MCVOL_CONV1 "\n    s = [y]\n    if x.size(2) > 4:\n"
     "        s.append(torch.dropout(y, 0.5, True))\n    return torch.stack(s).sum(0)\n"},
    {"Dictionary",
     "def forward(self, x):\n    y = " MCVOL_CONV1 "\n    d = {'a': y, 'b': y * 2}\n"
     "    d['a'] = torch.dropout(y, 0.5, True)\n    e = d['b'] * 3\n    return d['a'] + e\n"},
    {"ListExtendedTwice", "def forward(self, x):\n    y = " MCVOL_CONV1 "\n    s = [y]\n"
                          "    s.extend([torch.dropout(y, 0.5, True)])\n    s += [y * 2]\n"
                          "    return torch.cat(s, 1)\n"},
    {"InPlaceOnWhatPassesShare",
     "def forward(self, x):\n    x = " MCVOL_CONV1
     "\n    y = torch.dropout(x, 0.5, False)\n    x.add_(y)\n    return x * 2\n"},
};

INSTANTIATE_TEST_SUITE_P(Forms, SplitEqualsWhole, ::testing::ValuesIn(kForms),
                         [](const auto& form) { return std::string(form.param.name); });

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

TEST(DropoutGraph, AForwardThatReturnsATupleIsRefused) {
  const std::string error = error_of("def forward(self, x):\n    return x, x\n");
  EXPECT_NE(error.find("expected one tensor"), std::string::npos) << error;
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
