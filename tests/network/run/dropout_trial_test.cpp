#include "mcvol/error/error.h"

#include <algorithm>
#include <string>

#include "network/run/torchscript_segmenter.h"
#include "network/support/segmenter_fixtures.h"
#include <gtest/gtest.h>

// Dropout that stands in a network and does nothing there: passes that are all equal look like a
// network that is sure of itself.

namespace mcvol {
namespace {

using testing::TinyNetwork;

/// Two channels in, three out, with `middle` between.
TinyNetwork network_with(const std::string& middle) {
  return {
      "def forward(self, x):\n    x = torch.relu(torch.conv3d(x, self.w1, self.b1, [1, 1, 1], "
      "[1, 1, 1]))\n" +
      middle +
      "    x = torch.conv3d(x, self.w2, self.b2)\n"
      "    return torch.conv3d(x, self.w3, self.b3)\n"};
}

std::unique_ptr<Segmenter> loaded(const std::vector<TinyNetwork>& networks) {
  return load_torchscript_segmenter(testing::tiny_bundle(networks), {.device = "cpu"});
}

std::string error_of(const TinyNetwork& network) {
  try {
    loaded({network});
  } catch (const ModelError& error) {
    return error.what();
  }
  return "no error";
}

bool any_note_has(const NetworkSummary& summary, const std::string& words) {
  return std::any_of(summary.notes.begin(), summary.notes.end(), [&](const std::string& note) {
    return note.find(words) != std::string::npos;
  });
}

constexpr const char* kNotTaken =
    "    if x.shape[2] > 1000:\n        x = torch.dropout(x, 0.4, False)\n";
constexpr const char* kTaken = "    if x.shape[2] > 8:\n        x = torch.dropout(x, 0.4, False)\n";

TEST(DropoutTrial, ANetworkWhoseOnlyDropoutStandsInABranchNotTakenIsRefused) {
  const std::string error = error_of(network_with(kNotTaken));
  EXPECT_NE(error.find("no dropout layer runs"), std::string::npos) << error;
  EXPECT_NE(error.find("would all be equal"), std::string::npos) << error;
}

TEST(DropoutTrial, LayersThatDoNotRunAreNamedAndKeepTheirNumbers) {
  const auto segmenter = loaded({network_with(std::string(kNotTaken) + kTaken +
                                              "    x = torch.feature_dropout(x, 0.2, False)\n")});
  const NetworkSummary& summary = segmenter->summary();
  ASSERT_EQ(summary.dropout.size(), 3U);
  EXPECT_EQ(summary.dropout[0].fate, "in a branch that is not taken on a window of noise");
  EXPECT_EQ(summary.dropout[1].fate, "active");
  EXPECT_EQ(summary.dropout[2].fate, "active");
  for (int id = 0; id < 3; ++id) EXPECT_EQ(summary.dropout[static_cast<std::size_t>(id)].id, id);
  EXPECT_TRUE(any_note_has(summary, "do not run: dropout 'forward'"));
}

TEST(DropoutTrial, DropoutThatTheOutputForgetsIsRefused) {
  const std::string error =
      error_of(network_with("    x = x + 0.0 * torch.dropout(x, 0.4, False)\n"));
  EXPECT_NE(error.find("whether nothing or everything is dropped"), std::string::npos) << error;
}

TEST(DropoutTrial, WeightsInHalfPrecisionAreToBeExportedAsFloat32) {
  const std::string error = error_of(
      network_with("    x = torch.conv3d(torch.dropout(x, 0.4, False), self.up.half(), None, "
                   "[1, 1, 1], [1, 1, 1])\n"));
  EXPECT_NE(error.find("weights are float16"), std::string::npos) << error;
  EXPECT_NE(error.find("export it as float32"), std::string::npos) << error;
}

/// Of 8 channels at this rate, twenty passes would mostly keep all.
TEST(DropoutTrial, DropoutOfARareRateMattersThoughFewPassesDiffer) {
  const auto segmenter =
      loaded({network_with("    x = torch.feature_dropout(x, 0.0001, False)\n")});
  EXPECT_EQ(segmenter->summary().dropout.at(0).fate, "active");
}

TEST(DropoutTrial, AMemberOfAnEnsembleWithoutDropoutThatRunsIsNoted) {
  const auto segmenter = loaded({network_with(kTaken), network_with(kNotTaken)});
  EXPECT_TRUE(any_note_has(segmenter->summary(), "network_1.pt: Its passes are all equal"));
  EXPECT_FALSE(any_note_has(segmenter->summary(), "network_0.pt: Its passes are all equal"));
}

}  // namespace
}  // namespace mcvol
