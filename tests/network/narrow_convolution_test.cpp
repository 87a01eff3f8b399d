#include "network/narrow_convolution.h"

#include <array>
#include <random>
#include <string>
#include <vector>

#include "network/convolutions.h"
#include "network/scripted_graph.h"
#include "network/transposed_convolutions.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::list;
using testing::normal_values;
using Triple = std::array<std::int64_t, 3>;

/// Random, with lines shorter and longer than a strip.
struct Geometry {
  Triple input, kernel, padding;
  std::int64_t dilation, in, out;
  bool bias;

  std::string text() const {
    return list(input) + ", kernel " + list(kernel) + ", padding " + list(padding) + ", dilation " +
           std::to_string(dilation) + ", " + std::to_string(in) + " to " + std::to_string(out) +
           " channels" + (bias ? ", bias" : "");
  }
};

Geometry random_geometry(std::mt19937& generator) {
  const auto whole = [&](std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(generator() % (most - least + 1));
  };
  Geometry of;
  of.dilation = whole(1, 2);
  const Triple most = {9, 9, 120};
  do {
    for (std::size_t d = 0; d < 3; ++d) of.kernel[d] = whole(1, 4);
  } while (of.kernel == Triple{1, 1, 1});
  for (std::size_t d = 0; d < 3; ++d) {
    of.input[d] = whole(of.dilation * (of.kernel[d] - 1) + 1, most[d]);
    of.padding[d] = whole(0, 3);
  }
  of.in = whole(2, 7);
  of.out = whole(1, 4);
  of.bias = whole(0, 1) == 1;
  return of;
}

std::vector<at::Tensor> parameters(const Geometry& of) {
  return {normal_values({of.out, of.in, of.kernel[0], of.kernel[1], of.kernel[2]}, 2),
          normal_values({of.out}, 3)};
}

std::shared_ptr<torch::jit::Graph> graph_of(const Geometry& of) {
  const auto graph = testing::scripted_graph(
      "x, w, b",
      std::string("torch.conv3d(x, w, ") + (of.bias ? "b" : "None") + ", 1, " + list(of.padding) +
          ", " + std::to_string(of.dilation) + ")",
      parameters(of));
  use_onednn_convolutions(graph);
  return graph;
}

TEST(NarrowConvolution, IsForFewOutputsOfWideKernelsInFp32) {
  const at::Tensor x = normal_values({1, 8, 4, 4, 4}, 1);
  const auto weight = [](std::int64_t outputs, std::int64_t kernel) {
    return at::zeros({outputs, 8, kernel, kernel, kernel});
  };
  EXPECT_TRUE(is_narrow(x, weight(3, 3), 1));
  EXPECT_TRUE(is_narrow(x, weight(4, 2), 1));
  EXPECT_FALSE(is_narrow(x, weight(5, 3), 1));
  EXPECT_FALSE(is_narrow(x, weight(3, 1), 1));
  EXPECT_FALSE(is_narrow(x, weight(2, 3), 2));
  EXPECT_FALSE(is_narrow(x.to(at::kBFloat16), weight(3, 3), 1));
}

TEST(NarrowConvolution, GivesWhatTheConvolutionGivesForRandomGeometry) {
  std::mt19937 generator(1);
  for (int n = 0; n < 150; ++n) {
    const Geometry of = random_geometry(generator);
    const std::vector<at::Tensor> fixed = parameters(of);
    const at::Tensor x = normal_values({2, of.in, of.input[0], of.input[1], of.input[2]}, 5);
    ASSERT_TRUE(is_narrow(x, fixed[0], 1));
    const at::Tensor expected =
        at::conv3d(x.to(at::kDouble), fixed[0].to(at::kDouble),
                   of.bias ? std::optional<at::Tensor>(fixed[1].to(at::kDouble)) : std::nullopt,
                   {1, 1, 1}, of.padding, {of.dilation, of.dilation, of.dilation});
    const at::Tensor laid = n % 2 == 0 ? x : x.contiguous(at::MemoryFormat::ChannelsLast3d);
    const at::Tensor found = testing::run_graph(graph_of(of), laid, 1 + n % 3);
    ASSERT_EQ(found.sizes(), expected.sizes()) << of.text();
    EXPECT_LT(testing::relative_difference(found, expected), 2e-6) << of.text();
  }
}

TEST(NarrowConvolution, ARowHasTheSameBitsInAnyBatchOnAnyThreads) {
  std::mt19937 generator(2);
  for (int n = 0; n < 30; ++n) {
    const Geometry of = random_geometry(generator);
    testing::expect_same_bits_in_any_batch(
        graph_of(of), normal_values({5, of.in, of.input[0], of.input[1], of.input[2]}, 5),
        of.text());
  }
}

// All phases share one layout of the input, whose zeros are those of the phase that needs most.
TEST(NarrowConvolution, OfPhasesOfATransposedOneOnLongLines) {
  for (const std::string arguments :
       {"2, 1, 1", "2", "3, 0, 0", "[1, 2, 3], [2, 0, 1]", "2, [3, 2, 1]", "4, 1, 3"}) {
    const std::vector<at::Tensor> fixed = {normal_values({6, 3, 3, 3, 3}, 2),
                                           normal_values({3}, 3)};
    const auto graph = testing::scripted_graph(
        "x, w, b", "torch.conv_transpose3d(x, w, b, " + arguments + ")", fixed);
    const auto exact =
        testing::scripted_graph("x, w, b", "torch.conv_transpose3d(x, w, b, " + arguments + ")",
                                {fixed[0].to(at::kDouble), fixed[1].to(at::kDouble)});
    use_phase_convolutions(graph);
    const at::Tensor x = normal_values({2, 6, 7, 5, 61}, 5);
    EXPECT_LT(testing::relative_difference(testing::run_graph(graph, x, 2),
                                           testing::run_graph(exact, x.to(at::kDouble))),
              2e-6)
        << arguments;
  }
}

}  // namespace
}  // namespace mcvol
