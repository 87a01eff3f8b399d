#include "mcvol/network/segmenter/segmenter.h"

#include <algorithm>
#include <string>

#include "network/run/torchscript_segmenter.h"
#include "network/support/segmenter_fixtures.h"
#include <gtest/gtest.h>

// Pass t of an ensemble of n networks is network t mod n.

namespace mcvol {
namespace {

using testing::differing_values;
using testing::Logits;
using testing::logits_of;
using testing::random_scan;
using testing::tiny_bundle;
using testing::TinyNetwork;

TinyNetwork network_without_dropout() {
  return {R"(
def forward(self, x):
    x = torch.relu(torch.conv3d(x, self.w1, self.b1, [1, 1, 1], [1, 1, 1]))
    return torch.conv3d(torch.conv3d(x, self.w2, self.b2), self.w3, self.b3)
)"};
}

std::vector<TinyNetwork> three_networks() {
  return {testing::pointwise_network(), testing::spatial_network(), testing::pointwise_network()};
}

/// One member of an ensemble as a bundle of its own.
Bundle alone(Bundle bundle, std::size_t member) {
  bundle.networks = {bundle.networks.at(member)};
  return bundle;
}

std::unique_ptr<Segmenter> load(const Bundle& bundle) {
  return load_torchscript_segmenter(bundle, {.device = "cpu", .threads = 2});
}

TEST(Ensemble, PassesAreThoseOfTheWholeGraphsInTurnWithMasksOfTheirMember) {
  for (const DropoutScope scope :
       {DropoutScope::kNative, DropoutScope::kChannel, DropoutScope::kElement}) {
    const Bundle bundle = tiny_bundle(three_networks());
    const PreparedScan scan = random_scan({20, 17, 33}, 5);
    const PassRequest request{.passes = 7, .seed = 77};
    const Logits logits = logits_of(bundle, scan, request, 2, scope);
    EXPECT_LT(testing::largest_difference_from_whole_graphs(logits, bundle, scan, request, scope),
              2e-4);
  }
}

// The first member's masks are those of a network that is no ensemble's; the second's are its own.
TEST(Ensemble, FirstMemberGivesTheBitsItGivesAloneAndTheSecondDrawsOtherMasks) {
  const Bundle bundle = tiny_bundle({testing::spatial_network(), testing::spatial_network()});
  const PreparedScan scan = random_scan({21, 16, 15}, 6);
  const PassRequest request{.passes = 6, .seed = 9};
  const Logits together = logits_of(bundle, scan, request, 2);
  const Logits first = logits_of(alone(bundle, 0), scan, request, 2);
  const Logits second = logits_of(alone(bundle, 1), scan, request, 2);
  for (std::size_t pass = 0; pass < together.size(); ++pass) {
    const Logits& own = pass % 2 == 0 ? first : second;
    const std::size_t differing = differing_values({together[pass]}, {own[pass]});
    if (pass % 2 == 0) {
      EXPECT_EQ(differing, 0u) << "pass " << pass;
    } else {
      EXPECT_GT(differing, together[pass][0].size()) << "pass " << pass;
    }
  }
}

TEST(Ensemble, BlendedWindowsThatAbutGiveWhatWindowsOnTheirOwnGive) {
  Bundle bundle = tiny_bundle(three_networks());
  const PreparedScan scan = random_scan({32, 16, 16}, 4);
  const PassRequest request{.passes = 7, .seed = 3};
  const Logits abutting = logits_of(bundle, scan, request, 2);
  bundle.window.blend = Bundle::Window::Blend::kConstant;
  const Logits blended = logits_of(bundle, scan, request, 2);
  for (std::size_t pass = 0; pass < abutting.size(); ++pass) {
    for (std::size_t region = 0; region < 2; ++region) {
      for (std::size_t voxel = 0; voxel < abutting[pass][region].size(); ++voxel) {
        ASSERT_NEAR(blended[pass][region][voxel], abutting[pass][region][voxel], 1e-5)
            << "pass " << pass;
      }
    }
  }
}

TEST(Ensemble, MemberWithoutDropoutRunsAndItsPassesAreEqual) {
  const Bundle bundle = tiny_bundle({testing::pointwise_network(), network_without_dropout()});
  const PreparedScan scan = random_scan({20, 17, 16}, 5);
  const PassRequest request{.passes = 6, .seed = 77};
  const auto segmenter = load(bundle);
  for (const std::string& note : segmenter->summary().notes) {
    EXPECT_EQ(note.find("No network"), std::string::npos) << note;
  }
  const Logits logits = logits_of(*segmenter, bundle, scan, request);
  EXPECT_EQ(differing_values({logits[1], logits[1]}, {logits[3], logits[5]}), 0u);
  EXPECT_GT(differing_values({logits[0], logits[0]}, {logits[2], logits[4]}), 0u);
  EXPECT_LT(testing::largest_difference_from_whole_graphs(logits, bundle, scan, request,
                                                          DropoutScope::kChannel),
            2e-4);
}

TEST(Ensemble, WithoutAnyDropoutSaysThatPassesRepeat) {
  const Bundle bundle = tiny_bundle({network_without_dropout(), network_without_dropout()});
  const PreparedScan scan = random_scan({17, 16, 16}, 5);
  const auto segmenter = load(bundle);
  EXPECT_EQ(segmenter->summary().notes,
            std::vector<std::string>{"No network of the ensemble has active dropout: passes beyond "
                                     "the first 2 repeat them."});
  EXPECT_EQ(segmenter->summary().suffix_operators, 0);
  const Logits logits = logits_of(*segmenter, bundle, scan, {.passes = 4});
  EXPECT_EQ(differing_values({logits[0], logits[1]}, {logits[2], logits[3]}), 0u);
  EXPECT_GT(differing_values({logits[0]}, {logits[1]}), 0u);
}

TEST(Ensemble, MoreOfItsPassesLeaveTheFirstOnesAsTheyWere) {
  const Bundle bundle = tiny_bundle(three_networks());
  const PreparedScan scan = random_scan({20, 16, 16}, 2);
  const Logits few = logits_of(bundle, scan, {.passes = 3, .seed = 3}, 2);
  Logits many = logits_of(bundle, scan, {.passes = 9, .seed = 3}, 2);
  many.resize(few.size());
  EXPECT_EQ(differing_values(few, many), 0u);
}

TEST(Ensemble, SummaryCountsItsNetworksAndSaysWhoseLayersAreWhose) {
  const auto segmenter = load(tiny_bundle(three_networks()));
  const NetworkSummary& summary = segmenter->summary();
  EXPECT_EQ(summary.networks, 3);
  std::vector<std::string> where;
  for (const DropoutLayer& layer : summary.dropout) where.push_back(layer.where);
  EXPECT_EQ(where, (std::vector<std::string>{"network_0.pt: forward", "network_0.pt: forward",
                                             "network_1.pt: forward", "network_2.pt: forward",
                                             "network_2.pt: forward"}));
  EXPECT_EQ(summary.split_at.find("network_0.pt: "), 0u) << summary.split_at;
  EXPECT_NE(summary.split_at.find(", network_2.pt: "), std::string::npos) << summary.split_at;
  EXPECT_FALSE(summary.pointwise_suffix);  // one of them is not
}

// Every window runs all prefixes, a pass one suffix.
TEST(Ensemble, WorkIsThatOfAllPrefixesAndOfAnAverageSuffix) {
  const Bundle bundle = tiny_bundle(three_networks());
  const NetworkSummary together = load(bundle)->summary();
  double prefix = 0.0, suffix = 0.0;
  std::int64_t bytes = 0;
  for (std::size_t member = 0; member < 3; ++member) {
    const NetworkSummary one = load(alone(bundle, member))->summary();
    prefix += one.prefix_gflop;
    suffix += one.suffix_gflop / 3.0;
    bytes = std::max(bytes, one.window_bytes);
  }
  EXPECT_NEAR(together.prefix_gflop, prefix, 1e-9);
  EXPECT_NEAR(together.suffix_gflop, suffix, 1e-9);
  EXPECT_EQ(together.window_bytes, bytes);
}

}  // namespace
}  // namespace mcvol
