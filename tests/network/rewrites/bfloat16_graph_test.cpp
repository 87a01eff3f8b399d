#include "network/rewrites/bfloat16_graph.h"

#include "mcvol/error/error.h"
#include "mcvol/network/segmenter/segmenter.h"

#include <array>
#include <random>
#include <string>
#include <vector>

#include "network/rewrites/invariant_operators.h"
#include "network/rewrites/joined_activation.h"
#include "network/support/scripted_graph.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::list;
using testing::normal_values;
using Triple = std::array<std::int64_t, 3>;

std::shared_ptr<torch::jit::Graph> in_bfloat16(const std::shared_ptr<torch::jit::Graph>& graph) {
  const auto converted = graph->copy();
  join_activations(converted);
  use_invariant_operators(converted);
  use_bfloat16_convolutions(converted, {});
  return converted;
}

at::Tensor rounded(const at::Tensor& tensor) { return tensor.to(at::kBFloat16).to(at::kFloat); }

/// Of the largest value: half a unit in the last of eight bits, and the sums' own error.
constexpr double kRounding = 0.004;

/// False where this processor has no bfloat16.
bool has_bfloat16() {
  try {
    require_on_cpu(Precision::kBf16);
    return true;
  } catch (const UsageError&) {
    return false;
  }
}

class Bfloat16Convolutions : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!has_bfloat16()) GTEST_SKIP() << "this processor has no bfloat16";
  }
};

/// Expects what is right to rounding and the same bits for any threads.
void expect_right(const std::string& expression, const at::Tensor& x,
                  const std::vector<at::Tensor>& parameters) {
  const auto graph = testing::scripted_graph("x, w, b", expression, parameters);
  const auto converted = in_bfloat16(graph);
  const at::Tensor found = testing::run_graph(converted, x);
  EXPECT_EQ(found.scalar_type(), at::kBFloat16) << expression;
  EXPECT_LT(testing::relative_difference(found, testing::run_graph(graph, x)), kRounding)
      << expression << " of " << x.sizes();
  for (const int threads : {2, 3, 5, 16}) {
    EXPECT_TRUE(found.equal(testing::run_graph(converted, x, threads)))
        << expression << " of " << x.sizes() << " on " << threads << " threads";
  }
  const at::Tensor row = testing::run_graph(converted, x.narrow(0, 0, 1).clone());
  EXPECT_TRUE(row.equal(found.narrow(0, 0, 1))) << expression << " of " << x.sizes();
}

TEST_F(Bfloat16Convolutions, AreRightAndTheSameForAnyThreads) {
  std::mt19937 generator(1);
  const auto one_of = [&](const std::vector<std::int64_t>& choices) {
    return choices[generator() % choices.size()];
  };
  for (int trial = 0; trial < 60; ++trial) {
    const std::int64_t in = one_of({1, 2, 4, 16, 24, 48, 64, 96}), out = one_of({1, 3, 16, 32, 64});
    const std::int64_t kernel = one_of({1, 2, 3, 3, 3, 5});
    const Triple stride = {one_of({1, 1, 2}), one_of({1, 2}), one_of({1, 1, 2})};
    const Triple padding = {one_of({0, kernel / 2}), one_of({0, kernel / 2}), one_of({0, 1})};
    const std::int64_t dilation = one_of({1, 1, 1, 2});
    Triple size;
    for (std::size_t d = 0; d < 3; ++d) {
      const std::int64_t least = std::max<std::int64_t>(1, dilation * (kernel - 1) + 1);
      size[d] = std::max(one_of({4, 6, 9, 12, 24}), least);  // of the kernel's width: one voxel
    }
    const at::Tensor weight = rounded(normal_values({out, in, kernel, kernel, kernel}, 2, 0.1F));
    const at::Tensor x = rounded(normal_values({2, in, size[0], size[1], size[2]}, 3));
    expect_right("torch.conv3d(x, w, b, " + list(stride) + ", " + list(padding) + ", " +
                     std::to_string(dilation) + ")",
                 x, {weight, normal_values({out}, 4)});
  }
}

TEST_F(Bfloat16Convolutions, LargeOnesInSlabsAreRight) {
  // 40 x 40 x 24 voxels: nine slabs, of five planes but the last.
  const at::Tensor x = rounded(normal_values({1, 8, 40, 40, 24}, 3));
  const at::Tensor weight = rounded(normal_values({16, 8, 3, 3, 3}, 2, 0.1F));
  for (const std::string arguments :
       {"1, 1", "1, 0", "[2, 1, 1], 1", "1, 2, 2", "[3, 2, 1], [1, 0, 2]"}) {
    expect_right("torch.conv3d(x, w, b, " + arguments + ")", x, {weight, normal_values({16}, 4)});
  }
}

TEST_F(Bfloat16Convolutions, TransposedOnesAreRight) {
  const at::Tensor x = rounded(normal_values({2, 48, 5, 24, 12}, 3));
  for (const std::string arguments : {"2", "2, 1, 1", "3, 0, 0"}) {
    for (const std::int64_t kernel : {2, 3}) {
      const at::Tensor weight = rounded(normal_values({48, 16, kernel, kernel, kernel}, 2, 0.1F));
      expect_right("torch.conv_transpose3d(x, w, b, " + arguments + ")", x,
                   {weight, normal_values({16}, 4)});
    }
  }
}

struct OperatorSequence {
  const char* expression;
  at::ScalarType type;  ///< of the result
};

void PrintTo(const OperatorSequence& of, std::ostream* stream) { *stream << of.expression; }

class Bfloat16Sequence : public Bfloat16Convolutions,
                         public ::testing::WithParamInterface<OperatorSequence> {};

#define CONVOLUTION "torch.conv3d(x, w, b, 1, 1)"

TEST_P(Bfloat16Sequence, IsCloseAndLeavesWhatIsNoConvolutionInFp32) {
  const at::Tensor x = normal_values({2, 16, 7, 8, 9}, 3);
  const auto graph =
      testing::scripted_graph("x, w, b", GetParam().expression,
                              {normal_values({16, 16, 3, 3, 3}, 2, 0.1F), normal_values({16}, 4)});
  const at::Tensor found = testing::run_graph(in_bfloat16(graph), x);
  EXPECT_EQ(found.scalar_type(), GetParam().type);
  EXPECT_LT(testing::relative_difference(found, testing::run_graph(graph, x)), 0.02);
}

INSTANTIATE_TEST_SUITE_P(
    All, Bfloat16Sequence,
    ::testing::Values(
        OperatorSequence{CONVOLUTION, at::kBFloat16},
        OperatorSequence{"torch.relu(" CONVOLUTION ")", at::kBFloat16},
        OperatorSequence{"torch.sigmoid(" CONVOLUTION ")", at::kFloat},
        OperatorSequence{CONVOLUTION " + x", at::kFloat},
        OperatorSequence{"torch.cat([" CONVOLUTION ", torch.relu(" CONVOLUTION ")], 1)",
                         at::kBFloat16},
        OperatorSequence{"torch.cat([" CONVOLUTION ", x], 1)", at::kFloat},
        OperatorSequence{"torch.stack([" CONVOLUTION ", " CONVOLUTION "], 1)", at::kFloat},
        OperatorSequence{"torch.group_norm(" CONVOLUTION ", 4)", at::kFloat},
        OperatorSequence{"torch.relu(torch.instance_norm(" CONVOLUTION
                         ", None, None, None, None, True, 0.0, 1e-5, False))",
                         at::kBFloat16},
        OperatorSequence{"torch.conv3d(torch.sigmoid(" CONVOLUTION "), w, b)", at::kBFloat16},
        OperatorSequence{"(" CONVOLUTION ")[:, :8] * 2.0 + (" CONVOLUTION ")[:, 8:]", at::kFloat},
        OperatorSequence{"(" CONVOLUTION ").add_(1.0).relu_()", at::kFloat}));

}  // namespace
}  // namespace mcvol
