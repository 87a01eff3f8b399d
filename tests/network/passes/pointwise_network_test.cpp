#include "network/passes/pointwise_network.h"

#include <numeric>
#include <ostream>
#include <regex>
#include <string>
#include <vector>

#include "network/dropout/dropout_operator.h"
#include "network/jit/graph_runner.h"
#include "network/support/scripted_graph.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::normal_values;

/// Of x [1, 13, …] and y [1, 21, …], what the prefix gives; v [21, 13], w [5, 21] and u [1, 13]
/// weights, a [21], b [5] and c [1] biases, s [21] slopes, e [21] variances; D(x|n|r; dropout of
/// layer n at rate r.
struct Chain {
  const char* expression;
  std::int64_t outputs;  ///< 0: not understood
};

void PrintTo(const Chain& of, std::ostream* stream) { *stream << of.expression; }

constexpr std::int64_t kInputs = 13, kHidden = 21, kOutputs = 5;

std::string with_dropout(std::string expression, MaskSharing sharing) {
  expression = std::regex_replace(expression, std::regex(R"(D\()"), "mcvol.dropout(");
  return std::regex_replace(
      expression, std::regex(R"(\|(\d)\|([\d.]+);)"),
      ", d, p, $2, $1, 0, " + std::to_string(static_cast<int>(sharing)) + ")");
}

std::shared_ptr<torch::jit::Graph> chain_graph(const Chain& chain, MaskSharing sharing) {
  register_dropout_operators();
  const auto unit = [](std::int64_t outputs, std::int64_t inputs, unsigned seed) {
    return normal_values({outputs, inputs, 1, 1, 1}, seed, 0.3F);
  };
  auto graph = testing::scripted_graph(
      "x, y, d, p, v, w, u, a, b, c, s, e", with_dropout(chain.expression, sharing),
      {unit(kHidden, kInputs, 1), unit(kOutputs, kHidden, 2), unit(1, kInputs, 3),
       normal_values({kHidden}, 4), normal_values({kOutputs}, 5), normal_values({1}, 6),
       normal_values({kHidden}, 7, 0.3F), normal_values({kHidden}, 8).square().add(0.1)});
  if (!graph->inputs()[1]->hasUses()) graph->eraseInput(1);  // the suffix has what it uses
  return graph;
}

/// A tile whose every third voxel is measured, and passes of which one is without dropout.
struct Work {
  std::vector<at::Tensor> cut;
  std::vector<MaskDraw> draws = std::vector<MaskDraw>(4);
  std::vector<std::int64_t> positions;
  std::int64_t tile_voxels = 0;

  explicit Work(bool with_addend) {
    const std::vector<std::int64_t> size = {7, 9, 11};
    tile_voxels = size[0] * size[1] * size[2];
    cut.push_back(normal_values({1, kInputs, size[0], size[1], size[2]}, 21)
                      .contiguous(at::MemoryFormat::ChannelsLast3d));
    if (with_addend) cut.push_back(normal_values({1, kHidden, size[0], size[1], size[2]}, 22));
    for (std::size_t n = 0; n < draws.size(); ++n) {
      draws[n].seed = 5;
      draws[n].pass = static_cast<std::uint32_t>(n);
      draws[n].dropout_off = n == 2;
      draws[n].window = {1, -4, 9};
    }
    for (std::int64_t n = 1; n < tile_voxels; n += 3) positions.push_back(n);
  }

  std::vector<std::int64_t> channels() const {
    std::vector<std::int64_t> channels;
    for (const at::Tensor& tensor : cut) channels.push_back(tensor.size(1));
    return channels;
  }

  at::Tensor run(const PointwiseNetwork& network) const {
    std::vector<PointwiseNetwork::MaskedPass> passes;
    for (const MaskDraw& draw : draws) passes.push_back(network.masked(draw));
    at::Tensor logits = at::empty({std::ssize(draws), network.outputs(), std::ssize(positions)});
    network.run(PointwiseNetwork::gathered(cut, positions), passes, tile_voxels,
                {logits.data_ptr<float>(), static_cast<std::size_t>(logits.numel())});
    return logits;
  }

  at::Tensor run(const std::shared_ptr<torch::jit::Graph>& graph) const {
    const at::Tensor of_tile = at::tensor(positions, at::kLong);
    std::vector<at::Tensor> inputs;
    for (const at::Tensor& tensor : cut) {
      const at::Tensor voxels = tensor.contiguous().flatten(2).index_select(2, of_tile);
      inputs.push_back(
          voxels.unsqueeze(3).unsqueeze(4).expand({std::ssize(draws), -1, -1, -1, -1}));
    }
    inputs.push_back(make_draws(draws, tile_voxels));
    inputs.push_back(of_tile);
    return GraphRunner(graph).run(inputs).front().flatten(2);
  }
};

class PointwiseChain : public ::testing::TestWithParam<Chain> {};

TEST_P(PointwiseChain, GivesWhatTheGraphGivesUnderEverySharing) {
  for (const auto sharing :
       {MaskSharing::kChannel, MaskSharing::kWindowChannel, MaskSharing::kElement}) {
    const auto graph = chain_graph(GetParam(), sharing);
    const Work work(graph->inputs().size() > 3);
    const auto network = PointwiseNetwork::from(*graph, work.channels());
    ASSERT_EQ(network.has_value(), GetParam().outputs > 0);
    if (!network) return;
    EXPECT_EQ(network->outputs(), GetParam().outputs);
    const at::Tensor found = work.run(*network);
    EXPECT_LT(testing::relative_difference(found, work.run(graph)), 2e-6)
        << static_cast<int>(sharing);
  }
}

class UnderstoodChain : public PointwiseChain {};

TEST_P(UnderstoodChain, GivesAVoxelTheSameBitsWhateverItsNeighbours) {
  Work work(true);
  const auto network =
      PointwiseNetwork::from(*chain_graph(GetParam(), MaskSharing::kElement), work.channels());
  ASSERT_TRUE(network);
  const at::Tensor all = work.run(*network);
  const std::vector<std::int64_t> positions = work.positions;
  for (const std::size_t first : {std::size_t{5}, std::size_t{48}, std::size_t{101}}) {
    work.positions.assign(positions.begin() + static_cast<std::ptrdiff_t>(first), positions.end());
    const at::Tensor rest = work.run(*network);
    EXPECT_TRUE(rest.equal(all.narrow(2, static_cast<std::int64_t>(first), rest.size(2))));
  }
}

const auto kUnderstood = ::testing::Values(
    Chain{"torch.conv3d(D(x|0|0.3;, u, c)", 1},
    Chain{"torch.conv3d(D(torch.conv3d(x, v, a)|0|0.5;, w, b)", kOutputs},
    Chain{"torch.conv3d(D(torch.prelu(torch.conv3d(D(x|0|0.3;, v) + y, s)|1|0.6;, w, b)", kOutputs},
    Chain{"torch.conv3d(D(torch.relu(torch.batch_norm(torch.conv3d(D(x|0|0.3;, v, a), a, s, "
          "s, e, False, 0.1, 1e-5, False))|1|0.2;, w)",
          kOutputs},
    Chain{"torch.conv3d(torch.leaky_relu(D(torch.conv3d(D(x|0|0.1;, v, a)|1|0.5;, "
          "0.1), w, b)",
          kOutputs},
    Chain{"torch.conv3d(D(torch.conv3d(D(x|0|1.0;, v, a)|1|0.0;, w, b)", kOutputs},
    Chain{"torch.conv3d(D(torch.conv3d(D(x|0|0.5;, v, a)|1|1.0;, w)", kOutputs});
INSTANTIATE_TEST_SUITE_P(Understood, PointwiseChain, kUnderstood);
INSTANTIATE_TEST_SUITE_P(Understood, UnderstoodChain, kUnderstood);

INSTANTIATE_TEST_SUITE_P(
    LeftToTheGraph, PointwiseChain,
    ::testing::Values(
        Chain{"torch.softmax(torch.conv3d(D(x|0|0.3;, u, c), 1)", 0},
        Chain{"torch.conv3d(D(torch.conv3d(D(x|0|0.3;, v, a) * y|1|0.5;, w, b)", 0},
        Chain{"torch.conv3d(D(torch.relu(torch.conv3d(D(x|0|0.3;, v, a)) + y|1|0.5;, w, b)", 0},
        Chain{"D(torch.conv3d(x, u, c)|0|0.5;", 0},
        // y has other channels than what it is added to.
        Chain{"torch.conv3d(D(x|0|0.3;, u, c) + y", 0},
        Chain{"torch.conv3d(D(D(x|0|0.5;|1|0.5;, u, c)", 0},
        Chain{"torch.conv3d(D(x|0|0.5;, u, c) + torch.conv3d(x, u)", 0}));

}  // namespace
}  // namespace mcvol
