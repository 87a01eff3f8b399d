#include "mcvol/network/segmenter/segmenter.h"

#include <algorithm>
#include <cmath>
#include <regex>
#include <string>
#include <vector>

#include "network/support/segmenter_fixtures.h"
#include <gtest/gtest.h>

// A pass with dropout off is the network as it is in eval mode.

namespace mcvol {
namespace {

using testing::differing_values;
using testing::Logits;
using testing::logits_of;
using testing::random_scan;
using testing::TinyNetwork;

TinyNetwork with_dropout_taken_out(TinyNetwork network) {
  static const std::regex kDropout(R"(torch\.(feature_|alpha_)?dropout\((\w+), [0-9.]+, False\))");
  const std::string without = std::regex_replace(network.forward, kDropout, "$2");
  EXPECT_NE(without, network.forward);
  network.forward = without;
  return network;
}

TinyNetwork alpha_network() {
  TinyNetwork network = testing::pointwise_network();
  network.forward =
      std::regex_replace(network.forward, std::regex("torch.dropout"), "torch.alpha_dropout");
  return network;
}

/// An ensemble of a network and of the same weights with its dropout taken out.
Bundle pair_of(const TinyNetwork& network) {
  const TinyNetwork without = with_dropout_taken_out(network);
  Bundle bundle = testing::tiny_bundle({network, without});
  testing::save_network(network, bundle.folder / bundle.networks[0].file);
  testing::save_network(without, bundle.folder / bundle.networks[1].file);
  bundle.window.input = bundle.window.output = {15, 15, 15};  // branching_network() wants odd ones
  return bundle;
}

double largest_difference(const std::vector<std::vector<float>>& a,
                          const std::vector<std::vector<float>>& b) {
  double largest = 0;
  for (std::size_t region = 0; region < a.size(); ++region) {
    for (std::size_t voxel = 0; voxel < a[region].size(); ++voxel) {
      const double difference = std::abs(a[region][voxel] - b[region][voxel]);
      if (!(difference <= largest)) largest = difference;  // NaN counts
    }
  }
  return largest;
}

class WithoutDropout : public ::testing::TestWithParam<DropoutScope> {};

TEST_P(WithoutDropout, IsTheNetworkWhoseDropoutWasTakenOut) {
  for (const TinyNetwork& network : {testing::pointwise_network(), testing::spatial_network(),
                                     testing::branching_network(), alpha_network()}) {
    const Bundle bundle = pair_of(network);
    const PreparedScan scan = random_scan({20, 17, 33}, 5);
    const Logits logits =
        logits_of(bundle, scan, {.passes = 4, .seed = 7, .without_dropout = true}, 2, GetParam());
    ASSERT_EQ(logits.size(), 6u);
    EXPECT_LT(largest_difference(logits[4], logits[5]), 1e-4) << network.forward;
    EXPECT_GT(largest_difference(logits[0], logits[4]), 1e-2) << "a pass drops something";
  }
}

TEST_P(WithoutDropout, ChangesNoBitOfTheOtherPasses) {
  for (const double overlap : {0.0, 0.5}) {
    Bundle bundle = pair_of(testing::spatial_network());
    bundle.window.overlap = overlap;
    if (overlap > 0) bundle.window.blend = Bundle::Window::Blend::kGaussian;
    const PreparedScan scan = random_scan({20, 17, 33}, 6);
    Logits with =
        logits_of(bundle, scan, {.passes = 5, .seed = 7, .without_dropout = true}, 2, GetParam());
    const Logits alone = logits_of(bundle, scan, {.passes = 5, .seed = 7}, 2, GetParam());
    EXPECT_LT(largest_difference(with[5], with[6]), 1e-4) << "overlap " << overlap;
    with.resize(5);
    EXPECT_EQ(differing_values(with, alone), 0u) << "overlap " << overlap;
  }
}

INSTANTIATE_TEST_SUITE_P(Scopes, WithoutDropout,
                         ::testing::Values(DropoutScope::kNative, DropoutScope::kChannel,
                                           DropoutScope::kElement));

}  // namespace
}  // namespace mcvol
