#include "mcvol/network/segmenter/segmenter.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "network/run/torchscript_segmenter.h"
#include "network/support/segmenter_fixtures.h"
#include <gtest/gtest.h>

// Passes on mirror images of the scan are passes on a scan that is mirrored.

namespace mcvol {
namespace {

using testing::Logits;
using testing::logits_of;
using testing::random_scan;

/// The scan mirrored along image axes.
PreparedScan mirrored(const PreparedScan& scan, const std::vector<int>& axes) {
  PreparedScan flipped = scan;
  const std::int64_t side = scan.grid.size[0];
  const auto mirror = [&](const auto& from, auto& to) {
    for (std::int64_t z = 0; z < side; ++z) {
      for (std::int64_t y = 0; y < side; ++y) {
        for (std::int64_t x = 0; x < side; ++x) {
          Index3 at{x, y, z};
          for (const int axis : axes) {
            auto& index = at[static_cast<std::size_t>(axis)];
            index = side - 1 - index;
          }
          to.at(at[0], at[1], at[2]) = from.at(x, y, z);
        }
      }
    }
  };
  for (std::size_t c = 0; c < scan.channels.size(); ++c) {
    mirror(scan.channels[c], flipped.channels[c]);
  }
  mirror(scan.measured, flipped.measured);
  return flipped;
}

/// Numbers of the measured voxels of the mirrored scan, in the order of the scan's own.
std::vector<std::size_t> places_in_mirror(const PreparedScan& scan, const std::vector<int>& axes) {
  std::vector<std::size_t> places;
  const std::int64_t side = scan.grid.size[0];
  const PreparedScan flipped = mirrored(scan, axes);
  std::vector<std::size_t> number_at(flipped.measured.values.size());
  std::size_t next = 0;
  for (std::size_t n = 0; n < number_at.size(); ++n) {
    number_at[n] = next;
    next += flipped.measured.values[n] != 0;
  }
  for (std::int64_t n = 0; n < std::ssize(scan.measured.values); ++n) {
    if (scan.measured.values[static_cast<std::size_t>(n)] == 0) continue;
    Index3 at{n % side, n / side % side, n / side / side};
    for (const int axis : axes) {
      auto& index = at[static_cast<std::size_t>(axis)];
      index = side - 1 - index;
    }
    places.push_back(number_at[static_cast<std::size_t>(at[0] + side * (at[1] + side * at[2]))]);
  }
  return places;
}

double largest_difference(const std::vector<std::vector<float>>& of_mirror,
                          const std::vector<std::size_t>& places,
                          const std::vector<std::vector<float>>& found) {
  double largest = 0;
  for (std::size_t region = 0; region < found.size(); ++region) {
    for (std::size_t v = 0; v < places.size(); ++v) {
      const double off = std::abs(of_mirror[region][places[v]] - found[region][v]);
      if (!(off <= largest)) largest = off;  // NaN counts
    }
  }
  return largest;
}

/// Which image axes mirror image `number` of x and z is mirrored along.
std::vector<int> axes_of(int number) {
  std::vector<int> axes;
  if (number % 2 == 1) axes.push_back(0);
  if (number / 2 == 1) axes.push_back(2);
  return axes;
}

/// Windows that lie alike from either end of the scan, so that those of its mirror image are the
/// mirror images of its windows.
struct Layout {
  std::string name;
  std::int64_t side;  ///< of the scan, which is a cube
  std::int64_t input, output;
  double overlap;
  bool unpadded = false;
};

Bundle laid_out(const Layout& layout, std::vector<testing::TinyNetwork> networks) {
  Bundle bundle = testing::tiny_bundle(networks);
  bundle.axes = {2, 1, 0};
  bundle.window.input = {layout.input, layout.input, layout.input};
  bundle.window.output = {layout.output, layout.output, layout.output};
  bundle.window.anchor = Bundle::Window::Anchor::kImageCorner;
  bundle.window.overlap = layout.overlap;
  if (layout.overlap > 0) bundle.window.blend = Bundle::Window::Blend::kGaussian;
  return bundle;
}

class MirrorImages : public ::testing::TestWithParam<Layout> {
 protected:
  Bundle bundle_ = laid_out(
      GetParam(), {GetParam().unpadded ? testing::unpadded_network() : testing::spatial_network()});
  PreparedScan scan_ = random_scan({GetParam().side, GetParam().side, GetParam().side}, 11);
};

TEST_P(MirrorImages, TakeTurnsAndArePassesOfAMirroredScan) {
  const PassRequest request{.passes = 7, .seed = 3};
  Bundle mirroring = bundle_;
  mirroring.mirror = {0, 2};
  const Logits found = logits_of(mirroring, scan_, request, 2);
  for (int flip = 0; flip < 4; ++flip) {
    const Logits of_mirror = logits_of(bundle_, mirrored(scan_, axes_of(flip)), request, 2);
    const auto places = places_in_mirror(scan_, axes_of(flip));
    for (std::size_t pass = 0; pass < 7; ++pass) {
      const double off = largest_difference(of_mirror[pass], places, found[pass]);
      if (static_cast<int>(pass) % 4 == flip) EXPECT_LT(off, 1e-5) << "pass " << pass;
      if (static_cast<int>(pass) % 4 != flip) EXPECT_GT(off, 1e-2) << "pass " << pass;
    }
  }
}

TEST_P(MirrorImages, GiveTheirAverageWithoutDropout) {
  const PassRequest request{.passes = 3, .seed = 3, .without_dropout = true};
  // Each output is a logit of its own, so that their mean is the logit of the mean.
  bundle_.output.activation = Bundle::Output::Activation::kSigmoid;
  bundle_.regions = {{"one", {1}}, {"other", {2}}};
  Bundle mirroring = bundle_;
  mirroring.mirror = {0, 2};
  const Logits found = logits_of(mirroring, scan_, request, 2);
  ASSERT_EQ(found.size(), 4u);
  std::vector<double> sums(found[3][0].size());
  for (int flip = 0; flip < 4; ++flip) {
    const Logits of_mirror = logits_of(bundle_, mirrored(scan_, axes_of(flip)), request, 2);
    const auto places = places_in_mirror(scan_, axes_of(flip));
    for (std::size_t v = 0; v < sums.size(); ++v) sums[v] += of_mirror[3][0][places[v]];
  }
  double largest = 0;
  for (std::size_t v = 0; v < sums.size(); ++v) {
    largest = std::max(largest, std::abs(sums[v] / 4 - found[3][0][v]));
  }
  EXPECT_LT(largest, 1e-5);
}

TEST_P(MirrorImages, GiveTheSameBitsOnAnyThreadsAndByParts) {
  Bundle mirroring = bundle_;
  mirroring.mirror = {0, 1, 2};
  const PassRequest whole{.passes = 9, .seed = 5, .without_dropout = true};
  const Logits one = logits_of(mirroring, scan_, whole, 1);
  EXPECT_EQ(testing::differing_values(one, logits_of(mirroring, scan_, whole, 2)), 0u);
  const auto segmenter = load_torchscript_segmenter(mirroring, {.device = "cpu", .threads = 2});
  const PassRequest first{.passes = 4, .seed = 5, .continued = true};
  const PassRequest rest{.passes = 5, .seed = 5, .without_dropout = true, .first_pass = 4};
  const Logits parts = testing::logits_in_parts(*segmenter, mirroring, scan_, {first, rest});
  EXPECT_EQ(testing::differing_values(one, parts), 0u);
}

INSTANTIATE_TEST_SUITE_P(Windows, MirrorImages,
                         ::testing::Values(Layout{"one", 15, 15, 15, 0},
                                           Layout{"abutting", 18, 9, 9, 0},
                                           Layout{"blended", 17, 9, 9, 0.5},
                                           Layout{"beyond_the_border", 11, 15, 15, 0.25},
                                           Layout{"unpadded", 18, 13, 9, 0, true}),
                         [](const auto& info) { return info.param.name; });

TEST(MirrorImagesOfAnEnsemble, ComeNetworkByNetworkAndAreAveragedOfEach) {
  Bundle bundle =
      laid_out({"", 15, 15, 15, 0}, {testing::spatial_network(), testing::pointwise_network()});
  bundle.output.activation = Bundle::Output::Activation::kSigmoid;
  bundle.regions = {{"one", {1}}, {"other", {2}}};
  const PreparedScan scan = random_scan({15, 15, 15}, 12);
  const PassRequest request{.passes = 8, .seed = 3, .without_dropout = true};
  Bundle mirroring = bundle;
  mirroring.mirror = {1};
  const Logits found = logits_of(mirroring, scan, request, 2);
  ASSERT_EQ(found.size(), 10u);
  const Logits own = logits_of(bundle, scan, request, 2);
  const Logits of_mirror = logits_of(bundle, mirrored(scan, {1}), request, 2);
  const auto places = places_in_mirror(scan, {1});
  const auto as_it_is = places_in_mirror(scan, {});
  for (std::size_t pass = 0; pass < 8; ++pass) {
    const bool flipped = pass / 2 % 2 == 1;
    EXPECT_LT(largest_difference(flipped ? of_mirror[pass] : own[pass], flipped ? places : as_it_is,
                                 found[pass]),
              1e-5)
        << pass;
  }
  for (std::size_t pass = 8; pass < 10; ++pass) {
    for (std::size_t v = 0; v < places.size(); ++v) {
      const float mean = (own[pass][1][v] + of_mirror[pass][1][places[v]]) / 2;
      ASSERT_NEAR(found[pass][1][v], mean, 1e-5) << pass << " " << v;
    }
  }
}

TEST(MirrorImagesThatAreStopped, LeaveNothingForTheNextScan) {
  Bundle bundle = laid_out({"", 15, 15, 15, 0}, {testing::spatial_network()});
  bundle.mirror = {0};
  const PreparedScan scan = random_scan({15, 15, 15}, 13), other = random_scan({15, 15, 15}, 14);
  const PassRequest request{.passes = 2, .seed = 3, .without_dropout = true};
  const Logits alone = logits_of(bundle, other, request, 1);
  const auto segmenter = load_torchscript_segmenter(bundle, {.device = "cpu", .threads = 1});
  // Stopped at each place where it can be.
  for (int looks = 1; looks < 8; ++looks) {
    testing::KeepingSink sink(3, 2, scan.measured.values.size());
    StageTimings timings;
    int left = looks;
    segmenter->run(
        scan, request, sink, [&](double) { return --left > 0; }, timings);
    EXPECT_EQ(testing::differing_values(alone, logits_of(*segmenter, bundle, other, request)), 0u)
        << looks;
  }
}

}  // namespace
}  // namespace mcvol
