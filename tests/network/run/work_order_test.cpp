#include <algorithm>
#include <ostream>
#include <random>

#include "network/run/torchscript_segmenter.h"
#include "network/support/segmenter_fixtures.h"
#include <gtest/gtest.h>

// The same request gives the same bits however the work is cut up: threads, batches and groups of
// passes and the order of windows are drawn at random, and so are the bundles.

namespace mcvol {
namespace {

using testing::Logits;
using testing::random_scan;
using testing::TinyNetwork;
using Blend = Bundle::Window::Blend;

struct OrderedNetworks {
  const char* name;
  std::vector<TinyNetwork> networks;
  std::int64_t margin = 0;
};

void PrintTo(const OrderedNetworks& subject, std::ostream* stream) { *stream << subject.name; }

/// What is drawn for one comparison.
struct Draw {
  Bundle::Window window;
  DropoutScope scope;
  Index3 scan;
  PassRequest request;
  int later;   ///< passes of it that are asked for in a request of their own
  bool keeps;  ///< for those what windows need once
  int threads;
  WorkOrder order;
};

std::ostream& operator<<(std::ostream& stream, const Draw& draw) {
  const auto& tile = draw.window.output;
  return stream << "scan " << draw.scan[0] << "x" << draw.scan[1] << "x" << draw.scan[2]
                << ", output " << tile[0] << "x" << tile[1] << "x" << tile[2] << ", blend "
                << static_cast<int>(draw.window.blend) << ", overlap " << draw.window.overlap
                << ", anchor " << static_cast<int>(draw.window.anchor) << ", scope "
                << to_string(draw.scope) << ", " << draw.request.passes << " passes, the last "
                << draw.later << " by themselves" << (draw.keeps ? ", windows kept, " : ", ")
                << draw.threads << " threads, batches of " << draw.order.batch_bytes
                << " bytes and at most " << draw.order.most_passes_per_batch
                << " passes, groups of " << draw.order.most_passes_per_group;
}

class Drawer {
 public:
  explicit Drawer(unsigned seed) : generator_(seed) {}

  Draw draw(std::int64_t margin, int networks) {
    Draw drawn;
    drawn.window = window(margin);
    drawn.scope = static_cast<DropoutScope>(whole(0, 2));
    for (std::size_t d = 0; d < 3; ++d) drawn.scan[d] = drawn.window.output[d] + whole(-2, 7);
    drawn.request = {.passes = static_cast<int>(whole(2, 7)),
                     .seed = static_cast<std::uint64_t>(whole(0, 1000))};
    // The first request ends with a round of the ensemble.
    const int rounds = std::max((drawn.request.passes - 1) / networks, 1);
    const int first = networks * static_cast<int>(whole(1, rounds));
    drawn.later = std::max(drawn.request.passes - first, 0);
    drawn.keeps = whole(0, 1) == 1;
    drawn.threads = static_cast<int>(whole(1, 5));
    drawn.order.batch_bytes = whole(0, 3) == 0 ? 0 : std::int64_t{1} << 30;
    drawn.order.most_passes_per_batch = static_cast<int>(whole(1, 5));
    drawn.order.most_passes_per_group = static_cast<int>(whole(1, drawn.request.passes));
    const auto seed = static_cast<unsigned>(whole(0, 1000));
    drawn.order.order_windows = [seed](std::vector<Window>& windows) {
      std::shuffle(windows.begin(), windows.end(), std::mt19937(seed));
    };
    return drawn;
  }

 private:
  std::int64_t whole(std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(generator_() % (most - least + 1));
  }

  // Odd sizes: no vector and no block comes out even. A large one now and then, whose operators
  // share the threads even for a single pass.
  Bundle::Window window(std::int64_t margin) {
    Bundle::Window window;
    const bool large = whole(0, 4) == 0;
    for (std::size_t d = 0; d < 3; ++d) {
      window.output[d] = (large ? 17 : 9) + 2 * whole(0, 2);
      window.input[d] = window.output[d] + 2 * margin;
    }
    window.blend = static_cast<Blend>(whole(0, 2));
    if (window.blend != Blend::kNone) {
      window.overlap = static_cast<double>(whole(0, large ? 4 : 7)) / 10.0;
    }
    window.padding = static_cast<Bundle::Window::Padding>(whole(0, 1));
    window.anchor = static_cast<Bundle::Window::Anchor>(whole(0, 1));
    return window;
  }

  std::mt19937 generator_;
};

Logits logits_of(const Bundle& bundle, const Draw& drawn, int threads, const WorkOrder& order) {
  TorchScriptSegmenter segmenter(
      bundle, {.device = "cpu", .threads = threads, .scope = drawn.scope}, order);
  return testing::logits_of(segmenter, bundle, random_scan(drawn.scan, 11), drawn.request);
}

/// The same by two requests, one after the other.
Logits logits_in_parts(const Bundle& bundle, const Draw& drawn) {
  TorchScriptSegmenter segmenter(
      bundle, {.device = "cpu", .threads = drawn.threads, .scope = drawn.scope}, drawn.order);
  PassRequest first = drawn.request, later = drawn.request;
  first.passes -= drawn.later;
  first.continued = drawn.keeps;
  later.first_pass = first.end();
  later.passes = drawn.later;
  return testing::logits_in_parts(segmenter, bundle, random_scan(drawn.scan, 11), {first, later});
}

class EveryWorkOrder : public ::testing::TestWithParam<OrderedNetworks> {};

TEST_P(EveryWorkOrder, GivesTheBitsOfOnePassAndWindowAfterTheOtherOnOneThread) {
  constexpr int kDraws = 7;
  Bundle bundle = testing::tiny_bundle(GetParam().networks);
  Drawer drawer(20);
  for (int n = 0; n < kDraws; ++n) {
    const auto networks = static_cast<int>(GetParam().networks.size());
    const Draw drawn = drawer.draw(GetParam().margin, networks);
    bundle.window = drawn.window;
    const WorkOrder in_order{.batch_bytes = 0, .most_passes_per_batch = 1};
    const Logits reference = logits_of(bundle, drawn, 1, in_order);
    const Logits logits = logits_of(bundle, drawn, drawn.threads, drawn.order);
    EXPECT_EQ(testing::differing_values(logits, reference), 0u) << drawn;
    if (drawn.later == 0) continue;
    const Logits in_parts = logits_in_parts(bundle, drawn);
    EXPECT_EQ(testing::differing_values(in_parts, reference), 0u) << drawn;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Networks, EveryWorkOrder,
    ::testing::Values(OrderedNetworks{"pointwise", {testing::pointwise_network()}},
                      OrderedNetworks{"skinny", {testing::skinny_network()}},
                      OrderedNetworks{"spatial", {testing::spatial_network()}},
                      OrderedNetworks{"unpadded", {testing::unpadded_network()}, 2},
                      OrderedNetworks{"branching", {testing::branching_network()}},
                      OrderedNetworks{"other_branching", {testing::other_branching_network()}},
                      OrderedNetworks{"attentive", {testing::attentive_network()}},
                      OrderedNetworks{"ensemble",
                                      {testing::branching_network(), testing::pointwise_network(),
                                       testing::other_branching_network()}}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace mcvol
