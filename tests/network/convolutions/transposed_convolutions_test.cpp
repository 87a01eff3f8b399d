#include "network/convolutions/transposed_convolutions.h"

#include <array>
#include <random>
#include <string>

#include "network/rewrites/invariant_operators.h"
#include "network/support/scripted_graph.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::list;
using testing::normal_values;
using Triple = std::array<std::int64_t, 3>;

/// A random transposed convolution whose output has at least one voxel.
struct Geometry {
  Triple input, kernel, stride, padding, output_padding;
  std::int64_t groups, in_channels, out_channels;
  bool bias;

  std::string text() const {
    return "input " + list(input) + ", kernel " + list(kernel) + ", stride " + list(stride) +
           ", padding " + list(padding) + ", output_padding " + list(output_padding) + ", " +
           std::to_string(groups) + " groups" + (bias ? ", bias" : "");
  }
};

Geometry random_geometry(std::mt19937& generator) {
  const auto whole = [&](std::int64_t least, std::int64_t most) {
    return least + static_cast<std::int64_t>(generator() % (most - least + 1));
  };
  Geometry geometry;
  for (std::size_t d = 0; d < 3; ++d) {
    std::int64_t size = 0;
    do {
      geometry.input[d] = whole(1, 7);
      geometry.kernel[d] = whole(1, 5);
      geometry.stride[d] = whole(1, 4);
      geometry.padding[d] = whole(0, geometry.kernel[d]);  // one more than there are taps before
      geometry.output_padding[d] = whole(0, geometry.stride[d] - 1);
      size = (geometry.input[d] - 1) * geometry.stride[d] - 2 * geometry.padding[d] +
             geometry.kernel[d] + geometry.output_padding[d];
    } while (size < 1);
  }
  geometry.groups = whole(1, 3);
  geometry.in_channels = geometry.groups * whole(1, 5);
  geometry.out_channels = geometry.groups * whole(1, 3);
  geometry.bias = whole(0, 1) == 1;
  return geometry;
}

std::vector<at::Tensor> parameters(const Geometry& geometry) {
  const Triple& kernel = geometry.kernel;
  return {normal_values({geometry.in_channels, geometry.out_channels / geometry.groups, kernel[0],
                         kernel[1], kernel[2]},
                        2),
          normal_values({geometry.out_channels}, 3)};
}

std::string arguments(const Geometry& geometry) {
  return list(geometry.stride) + ", " + list(geometry.padding);
}

/// torch.conv_transpose3d, or torch.convolution as tracing writes it.
std::shared_ptr<torch::jit::Graph> transposed_graph(const Geometry& geometry, bool traced) {
  const std::string bias = geometry.bias ? "b" : "None";
  const std::string output_padding = list(geometry.output_padding);
  const std::string groups = std::to_string(geometry.groups);
  const std::string plain = "torch.conv_transpose3d(x, w, " + bias + ", " + arguments(geometry) +
                            ", " + output_padding + ", " + groups + ")";
  const std::string general = "torch.convolution(x, w, " + bias + ", " + arguments(geometry) +
                              ", [1, 1, 1], True, " + output_padding + ", " + groups + ")";
  return testing::scripted_graph("x, w, b", traced ? general : plain, parameters(geometry));
}

bool has_phases(const std::shared_ptr<torch::jit::Graph>& graph) {
  for (const torch::jit::Node* node : graph->nodes()) {
    if (node->kind() == c10::Symbol::fromQualString("mcvol::transposed_convolution")) return true;
  }
  return false;
}

at::Tensor in_double_precision(const Geometry& geometry, const at::Tensor& x) {
  const std::vector<at::Tensor> fixed = parameters(geometry);
  return at::conv_transpose3d(
      x.to(at::kDouble), fixed[0].to(at::kDouble),
      geometry.bias ? std::optional<at::Tensor>(fixed[1].to(at::kDouble)) : std::nullopt,
      geometry.stride, geometry.padding, geometry.output_padding, geometry.groups);
}

TEST(PhaseConvolutions, GiveWhatTheTransposedConvolutionGivesForRandomGeometry) {
  std::mt19937 generator(4);
  for (int n = 0; n < 150; ++n) {
    const Geometry geometry = random_geometry(generator);
    const auto graph = transposed_graph(geometry, n % 3 == 0);
    use_phase_convolutions(graph);
    ASSERT_TRUE(has_phases(graph)) << geometry.text();
    const Triple& size = geometry.input;
    const at::Tensor x = normal_values({2, geometry.in_channels, size[0], size[1], size[2]}, 5);
    EXPECT_LT(testing::relative_difference(testing::run_graph(graph, x, 1 + n % 3),
                                           in_double_precision(geometry, x)),
              2e-6)
        << geometry.text();
  }
}

// Small kernels leave some phases of a large stride without a tap: those are the bias, or 0.
TEST(PhaseConvolutions, WriteTheBiasWhereNoTapFalls) {
  for (const bool bias : {false, true}) {
    const Geometry geometry{.input = {3, 2, 4},
                            .kernel = {1, 2, 1},
                            .stride = {3, 4, 2},
                            .padding = {0, 0, 0},
                            .output_padding = {2, 1, 1},
                            .groups = 1,
                            .in_channels = 2,
                            .out_channels = 2,
                            .bias = bias};
    const auto graph = transposed_graph(geometry, false);
    use_phase_convolutions(graph);
    const at::Tensor output = testing::run_graph(graph, normal_values({1, 2, 3, 2, 4}, 5));
    const at::Tensor expected = bias ? parameters(geometry)[1] : at::zeros({2});
    EXPECT_TRUE(output.select(2, 1).select(2, 3).select(2, 1).equal(expected.unsqueeze(0)));
  }
}

TEST(PhaseConvolutions, ARowHasTheSameBitsInAnyBatchOnAnyThreads) {
  std::mt19937 generator(6);
  for (int n = 0; n < 40; ++n) {
    const Geometry geometry = random_geometry(generator);
    const auto graph = transposed_graph(geometry, false);
    use_phase_convolutions(graph);
    const Triple& size = geometry.input;
    testing::expect_same_bits_in_any_batch(
        graph, normal_values({5, geometry.in_channels, size[0] + 4, size[1] + 6, size[2] + 3}, 5),
        geometry.text());
  }
}

// As it may be laid out in a batch otherwise than alone: oneDNN has other kernels for other
// layouts.
TEST(PhaseConvolutions, AnInputGivesTheSameBitsHoweverItLies) {
  std::mt19937 generator(7);
  for (int n = 0; n < 40; ++n) {
    const Geometry geometry = random_geometry(generator);
    const auto graph = transposed_graph(geometry, false);
    use_phase_convolutions(graph);
    const Triple& size = geometry.input;
    const at::Tensor x =
        normal_values({2, geometry.in_channels, size[0] + 4, size[1] + 6, size[2] + 3}, 5);
    const at::Tensor expected = testing::run_graph(graph, x);
    for (const at::Tensor& laid : {x.contiguous(at::MemoryFormat::ChannelsLast3d),
                                   x.transpose(0, 4).contiguous().transpose(0, 4),
                                   x.transpose(2, 4).contiguous().transpose(2, 4)}) {
      EXPECT_TRUE(testing::run_graph(graph, laid).equal(expected)) << geometry.text();
    }
    // Tokens that were turned into voxels: the strides of one sample alone say nothing.
    const at::Tensor sample = x.narrow(0, 0, 1).contiguous(at::MemoryFormat::ChannelsLast3d);
    std::vector<std::int64_t> strides = sample.strides().vec();
    strides[0] = strides[4];
    EXPECT_TRUE(testing::run_graph(graph, sample.as_strided(sample.sizes(), strides))
                    .equal(expected.narrow(0, 0, 1)))
        << geometry.text();
  }
}

TEST(PhaseConvolutions, LeaveWhatPyTorchRefusesToPyTorch) {
  const at::Tensor x = normal_values({1, 2, 5, 4, 3}, 2);
  for (const char* arguments :
       {"[2, 2, 2], [-1, -1, -1]", "[0, 0, 0], [0, 0, 0]", "[2, 2, 2], [0, 0, 0], [2, 2, 2]",
        "[2, 2, 2], [0, 0, 0], [-1, -1, -1]"}) {
    const auto graph = testing::scripted_graph(
        "x, w", "torch.conv_transpose3d(x, w, None, " + std::string(arguments) + ")",
        {normal_values({2, 2, 3, 3, 3}, 1)});
    use_phase_convolutions(graph);
    EXPECT_FALSE(has_phases(graph)) << arguments;
    EXPECT_THROW(testing::run_graph(graph, x), std::exception) << arguments;
  }
}

TEST(PhaseConvolutions, LeaveDilatedOnesToAtenWhichTheSerialPassThenNames) {
  const auto graph = testing::scripted_graph(
      "x, w", "torch.conv_transpose3d(x, w, None, [2, 2, 2], [0, 0, 0], [0, 0, 0], 1, [2, 2, 2])",
      {normal_values({2, 2, 3, 3, 3}, 1)});
  const auto original = graph->copy();
  use_invariant_operators(graph);
  EXPECT_FALSE(has_phases(graph));
  EXPECT_EQ(run_variant_operators_serially(graph),
            std::vector<std::string>{"aten::conv_transpose3d"});
  const at::Tensor x = normal_values({2, 2, 5, 4, 3}, 2);
  EXPECT_LT(testing::relative_difference(testing::run_graph(graph, x, 2),
                                         testing::run_graph(original, x, 1)),
            1e-6);
}

}  // namespace
}  // namespace mcvol
