#include "network/winograd_convolution.h"

#include <array>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "network/convolutions.h"
#include "network/scripted_graph.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::list;
using testing::normal_values;
using Triple = std::array<std::int64_t, 3>;

constexpr Triple kOnes = {1, 1, 1};

struct Geometry {
  Triple input, kernel, padding;
  std::int64_t in, out;
  bool bias;

  std::vector<std::int64_t> sizes(std::int64_t rows) const {
    return {rows, in, input[0], input[1], input[2]};
  }
  std::string text() const {
    return list(input) + ", kernel " + list(kernel) + ", padding " + list(padding) + ", " +
           std::to_string(in) + " to " + std::to_string(out) + " channels" + (bias ? ", bias" : "");
  }
};

/// Random, with lines of every remainder to a tile.
Geometry random_geometry(std::mt19937& generator) {
  const auto whole = [&](std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(generator() % (most - least + 1));
  };
  Geometry of;
  of.kernel = {whole(2, 4), whole(3, 6), 3};
  of.padding = {whole(0, 3), whole(0, 3), whole(0, 3)};
  of.input = {whole(of.kernel[0], 24), whole(16, 50), whole(14, 40)};
  of.in = whole(4, 20);
  of.out = whole(5, 27);
  of.bias = whole(0, 1) == 1;
  return of;
}

std::vector<at::Tensor> parameters(const Geometry& of) {
  return {normal_values({of.out, of.in, of.kernel[0], of.kernel[1], of.kernel[2]}, 2),
          normal_values({of.out}, 3)};
}

std::shared_ptr<torch::jit::Graph> graph_of(const Geometry& of) {
  const auto graph =
      testing::scripted_graph("x, w, b",
                              std::string("torch.conv3d(x, w, ") + (of.bias ? "b" : "None") +
                                  ", 1, " + list(of.padding) + ")",
                              parameters(of));
  use_onednn_convolutions(graph);
  return graph;
}

at::Tensor exact(const Geometry& of, const at::Tensor& x) {
  const std::vector<at::Tensor> fixed = parameters(of);
  return at::conv3d(x.to(at::kDouble), fixed[0].to(at::kDouble),
                    of.bias ? std::optional<at::Tensor>(fixed[1].to(at::kDouble)) : std::nullopt,
                    kOnes, of.padding);
}

TEST(WinogradConvolution, IsForThreeWideKernelsOfStrideOneInFp32OnLargePlanes) {
  const at::Tensor x = normal_values({1, 8, 3, 16, 16}, 1);
  const at::Tensor weight = at::zeros({8, 8, 3, 3, 3});
  const auto fits = [&](const at::Tensor& input, const at::Tensor& w, const Triple& stride,
                        const Triple& dilation, std::int64_t groups) {
    return is_for_winograd(input, w, kOnes, stride, dilation, groups);
  };
  EXPECT_TRUE(fits(x, weight, kOnes, kOnes, 1));
  EXPECT_FALSE(fits(x, weight, {1, 1, 2}, kOnes, 1));
  EXPECT_FALSE(fits(x, weight, kOnes, {2, 1, 1}, 1));
  EXPECT_FALSE(fits(x, at::zeros({8, 4, 3, 3, 3}), kOnes, kOnes, 2));
  EXPECT_FALSE(fits(x, at::zeros({8, 8, 3, 3, 5}), kOnes, kOnes, 1));
  EXPECT_FALSE(fits(x.to(at::kBFloat16), weight, kOnes, kOnes, 1));
  EXPECT_FALSE(fits(normal_values({1, 8, 16, 4, 16}, 1), weight, kOnes, kOnes, 1));
  EXPECT_FALSE(
      fits(normal_values({1, 3, 3, 16, 16}, 1), at::zeros({8, 3, 3, 3, 3}), kOnes, kOnes, 1));
  EXPECT_FALSE(fits(x, at::zeros({8, 8, 2, 3, 3}), kOnes, kOnes, 1));
  EXPECT_FALSE(
      fits(normal_values({1, 129, 3, 16, 16}, 1), at::zeros({8, 129, 3, 3, 3}), kOnes, kOnes, 1));
}

TEST(WinogradConvolution, GivesWhatTheConvolutionGivesForRandomGeometry) {
  std::mt19937 generator(1);
  int made = 0;
  for (int n = 0; n < 120; ++n) {
    const Geometry of = random_geometry(generator);
    const at::Tensor x = normal_values(of.sizes(2), 5);
    if (!is_for_winograd(x, parameters(of)[0], of.padding, kOnes, kOnes, 1)) continue;
    ++made;
    const at::Tensor expected = exact(of, x);
    const at::Tensor laid = n % 2 == 0 ? x : x.contiguous(at::MemoryFormat::ChannelsLast3d);
    const at::Tensor found = testing::run_graph(graph_of(of), laid, 1 + n % 3);
    ASSERT_EQ(found.sizes(), expected.sizes()) << of.text();
    EXPECT_LT(testing::relative_difference(found, expected), 1e-5) << of.text();
  }
  EXPECT_GT(made, 80);
}

TEST(WinogradConvolution, ARowHasTheSameBitsInAnyBatchOnAnyThreads) {
  std::mt19937 generator(2);
  for (int n = 0; n < 20; ++n) {
    const Geometry of = random_geometry(generator);
    testing::expect_same_bits_in_any_batch(graph_of(of), normal_values(of.sizes(5), 5), of.text());
  }
}

// So many channels that a plane is made in several bands of lines.
TEST(WinogradConvolution, OfManyChannelsInBands) {
  const Geometry of = {{5, 70, 61}, {3, 3, 3}, {1, 1, 1}, 64, 9, true};
  const at::Tensor x = normal_values(of.sizes(1), 5);
  EXPECT_LT(testing::relative_difference(testing::run_graph(graph_of(of), x, 2), exact(of, x)),
            1e-5);
}

/// What rounding does beside sums in the same precision, as they are made anywhere else.
TEST(WinogradConvolution, RoundsLittleMoreThanSumsDo) {
  const Geometry of = {{12, 40, 40}, {3, 3, 3}, {1, 1, 1}, 32, 16, false};
  const at::Tensor x = at::relu(normal_values(of.sizes(1), 5));
  const at::Tensor expected = exact(of, x);
  const auto error = [&](const at::Tensor& found) {
    return (found.to(at::kDouble) - expected).square().mean().sqrt().item<double>();
  };
  const double direct = error(at::conv3d(x, parameters(of)[0], {}, kOnes, of.padding));
  const double winograd = error(testing::run_graph(graph_of(of), x));
  RecordProperty("winograd_over_direct", std::to_string(winograd / direct));
  EXPECT_LT(winograd, 12 * direct);
}

TEST(WinogradConvolution, KeepsWhatIsNoNumber) {
  const Geometry of = {{6, 20, 20}, {3, 3, 3}, {1, 1, 1}, 8, 8, true};
  at::Tensor x = normal_values(of.sizes(1), 5);
  x[0][3][2][10][11] = std::numeric_limits<float>::infinity();
  const at::Tensor found = testing::run_graph(graph_of(of), x);
  EXPECT_FALSE(
      found[0].narrow(1, 1, 3).narrow(2, 9, 3).narrow(3, 10, 3).isfinite().any().item<bool>());
  EXPECT_TRUE(found[0].narrow(3, 0, 8).isfinite().all().item<bool>());
}

}  // namespace
}  // namespace mcvol
