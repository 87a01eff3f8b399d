#include "network/rewrites/joined_activation.h"

#include <ostream>
#include <string>
#include <vector>

#include "network/dropout/dropout_operator.h"
#include "network/support/scripted_graph.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::normal_values;
using testing::scripted_graph;

/// Of x and y [rows, C, …], a and b [C], s [C] slopes, u and v [C] a mean and a variance, d draws,
/// p no positions.
struct ActivationSequence {
  const char* expression;
  bool joins = true;
};

void PrintTo(const ActivationSequence& of, std::ostream* stream) { *stream << of.expression; }

constexpr std::int64_t kRows = 3;

/// Of the passes from `first` on.
at::Tensor draws(std::int64_t rows, std::int64_t first) {
  std::vector<MaskDraw> all(static_cast<std::size_t>(rows));
  for (std::size_t n = 0; n < all.size(); ++n) {
    all[n].seed = 7;
    all[n].pass = static_cast<std::uint32_t>(n) + static_cast<std::uint32_t>(first);
    all[n].dropout_off = all[n].pass == 1;
    all[n].window = {3, -2, 5};
  }
  return make_draws(all, 0);
}

std::shared_ptr<torch::jit::Graph> activation_graph(const std::string& expression,
                                                    const at::Tensor& y, std::int64_t channels,
                                                    std::int64_t rows, std::int64_t first = 0) {
  register_dropout_operators();
  const std::vector<std::int64_t> sizes = {channels};
  return scripted_graph(
      "x, y, a, b, s, u, v, d, p", expression,
      {y, normal_values(sizes, 1), normal_values(sizes, 2), normal_values(sizes, 3, 0.2F),
       normal_values(sizes, 4), normal_values(sizes, 5).square().add(0.1), draws(rows, first),
       at::empty({0}, at::kLong)});
}

int joined_in(const torch::jit::Graph& graph) {
  int count = 0;
  for (const torch::jit::Node* node : graph.nodes()) {
    if (std::string(node->kind().toQualString()) == "mcvol::activation") ++count;
  }
  return count;
}

bool is_joined(const torch::jit::Graph& graph) { return joined_in(graph) > 0; }

class JoinedActivation : public ::testing::TestWithParam<ActivationSequence> {};

TEST_P(JoinedActivation, GivesWhatTheOperatorsGiveOneByOne) {
  // More voxels than are summed at a time; channels that fill vectors and that do not.
  for (const std::vector<std::int64_t>& sizes :
       std::vector<std::vector<std::int64_t>>{{kRows, 5, 19, 23, 17},
                                              {kRows, 16, 4, 3, 5},
                                              {kRows, 1, 6, 7, 8},
                                              {kRows, 300, 2, 3, 2}}) {
    const at::Tensor x = normal_values(sizes, 11, 2.0F) + 3.0;
    const at::Tensor y = normal_values(sizes, 12);
    const auto graph = activation_graph(GetParam().expression, y, sizes[1], kRows);
    const auto joined = graph->copy();
    join_activations(joined);
    if (sizes[1] > 1) EXPECT_EQ(is_joined(*joined), GetParam().joins);
    const at::Tensor expected = testing::run_graph(graph, x);
    for (const auto layout : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast3d}) {
      const at::Tensor found = testing::run_graph(joined, x.contiguous(layout), 2);
      EXPECT_LT(testing::relative_difference(found, expected), 2e-6) << sizes;
    }
  }
}

TEST_P(JoinedActivation, GivesARowTheSameBitsInAnyBatch) {
  if (!GetParam().joins) return;
  const at::Tensor x = normal_values({1, 5, 19, 23, 17}, 13).expand({4, -1, -1, -1, -1});
  const at::Tensor y = normal_values({4, 5, 19, 23, 17}, 14);
  const auto batch = activation_graph(GetParam().expression, y, 5, 4);
  join_activations(batch);
  const at::Tensor once = testing::run_graph(batch, x, 1);
  for (std::int64_t row = 0; row < 4; ++row) {
    const auto alone = activation_graph(GetParam().expression, y.narrow(0, row, 1), 5, 1, row);
    join_activations(alone);
    EXPECT_TRUE(testing::run_graph(alone, x.narrow(0, row, 1), 1).equal(once.narrow(0, row, 1)));
  }
  for (const int threads : {2, 3, 5}) {
    EXPECT_TRUE(testing::run_graph(batch, x.contiguous(), threads).equal(once)) << threads;
  }
}

TEST_P(JoinedActivation, IsAsCloseAsBfloat16Allows) {
  const at::Tensor x = normal_values({kRows, 10, 9, 8, 7}, 15);
  const at::Tensor y = normal_values({kRows, 10, 9, 8, 7}, 16);
  const auto half = [](const at::Tensor& values) { return values.to(at::kBFloat16); };
  const auto graph = activation_graph(GetParam().expression, half(y).to(at::kFloat), 10, kRows);
  const auto joined = activation_graph(GetParam().expression, half(y), 10, kRows);
  join_activations(joined);
  if (!is_joined(*joined)) return;
  const at::Tensor found = testing::run_graph(joined, half(x));
  EXPECT_EQ(found.scalar_type(), at::kBFloat16);
  const at::Tensor expected = testing::run_graph(graph, half(x).to(at::kFloat));
  EXPECT_LT(testing::relative_difference(found.to(at::kFloat), expected), 1.0 / 128);
}

#define NORM "torch.instance_norm(x, a, b, None, None, True, 0.0, 1e-5, True)"
#define BATCH_NORM "torch.batch_norm(x, a, b, u, v, False, 0.0, 1e-5, True)"
#define DROPPED(of, sharing) "mcvol.dropout(" of ", d, p, 0.3, 2, 0, " sharing ")"

INSTANTIATE_TEST_SUITE_P(
    Sequences, JoinedActivation,
    ::testing::Values(
        ActivationSequence{NORM}, ActivationSequence{BATCH_NORM},
        ActivationSequence{"torch.instance_norm(x, None, None, None, None, True, 0.0, 1e-3, True)"},
        ActivationSequence{"torch.batch_norm(x, None, None, u, v, False, 0.0, 1e-5, True)"},
        ActivationSequence{"torch.relu(" NORM ")"}, ActivationSequence{"torch.prelu(" NORM ", s)"},
        ActivationSequence{"torch.prelu(x, s)"}, ActivationSequence{"torch.prelu(x + y, s)"},
        ActivationSequence{"torch.instance_norm(x + y, a, b, None, None, True, 0.0, 1e-5, True)"},
        ActivationSequence{"torch.leaky_relu(" BATCH_NORM ", 0.1) + y"},
        ActivationSequence{"y + torch.leaky_relu(" BATCH_NORM ", 0.1)"},
        ActivationSequence{DROPPED("x", "0")}, ActivationSequence{DROPPED("x", "1")},
        ActivationSequence{DROPPED("x", "2")},
        ActivationSequence{DROPPED("torch.prelu(" NORM ", s)", "0")},
        ActivationSequence{DROPPED("torch.prelu(" NORM ", s)", "2")},
        ActivationSequence{"torch.prelu(" DROPPED(NORM, "0") ", s) + y"},
        ActivationSequence{"torch.prelu(" DROPPED(NORM, "2") ", s) + y"},
        ActivationSequence{"torch.prelu(" DROPPED("x + y", "1") ", s) + y"},
        ActivationSequence{"torch.relu(x)", false}, ActivationSequence{"x + y", false},
        ActivationSequence{"mcvol.dropout(x, d, p, 0.3, 2, 1, 0)", false}));

TEST(JoinActivations, LeavesAGraphThatWritesInPlaceAsItIs) {
  const auto graph = scripted_graph("x, a, b, u, v",
                                    "torch.prelu(torch.batch_norm(x.mul_(2.0), a, b, u, v, False, "
                                    "0.0, 1e-5, True), a)",
                                    {normal_values({4}, 1), normal_values({4}, 2),
                                     normal_values({4}, 3), normal_values({4}, 4).square()});
  join_activations(graph);
  EXPECT_FALSE(is_joined(*graph));
}

// The second sequence stands between the ends of the first, which adds its result.
TEST(JoinActivations, JoinsASequenceThatStandsWithinAnother) {
  const at::Tensor x = normal_values({2, 4, 6, 5, 4}, 18);
  const auto graph =
      activation_graph("torch.prelu(" NORM
                       ", s) + torch.prelu(torch.instance_norm(x * 2.0, a, b, None, None, "
                       "True, 0.0, 1e-5, True), s)",
                       at::zeros({1}), 4, 2);
  const at::Tensor expected = testing::run_graph(graph, x);
  join_activations(graph);
  EXPECT_EQ(joined_in(*graph), 2);
  EXPECT_LT(testing::relative_difference(testing::run_graph(graph, x), expected), 2e-6);
}

// Of one voxel far from all others, such as a window's corner may be, nothing else may depend.
TEST(JoinActivations, ANormIsExactWhereTheFirstVoxelIsFarFromTheOthers) {
  constexpr float kFar = 1e4F;
  const auto graph = activation_graph(NORM, at::zeros({1}), 4, 1);
  const auto joined = graph->copy();
  join_activations(joined);
  at::Tensor x = normal_values({1, 4, 30, 30, 30}, 20);
  x.select(2, 0).select(2, 0).select(2, 0).fill_(kFar);
  const at::Tensor a = normal_values({4}, 1).to(at::kDouble);
  const at::Tensor b = normal_values({4}, 2).to(at::kDouble);
  const at::Tensor expected =
      at::instance_norm(x.to(at::kDouble), a, b, {}, {}, true, 0.0, 1e-5, false).to(at::kFloat);
  EXPECT_LT(testing::relative_difference(testing::run_graph(joined, x), expected), 2e-6);
}

TEST(JoinActivations, AnInfinityOrNaNAmongTheValuesIsNotHidden) {
  for (const float wrong : {NAN, INFINITY}) {
    const auto graph = activation_graph("torch.prelu(" NORM ", s)", at::zeros({1}), 4, 1);
    join_activations(graph);
    at::Tensor x = normal_values({1, 4, 5, 5, 5}, 17);
    x[0][2][1][1][1] = wrong;
    EXPECT_TRUE(testing::run_graph(graph, x).isnan().any().item<bool>());
  }
}

}  // namespace
}  // namespace mcvol
