#include "network/graph/batch_mixing.h"

#include <string>
#include <vector>

#include "network/device/gpu_fixture.h"
#include "network/run/torchscript_segmenter.h"
#include "network/support/scripted_graph.h"
#include "network/support/segmenter_fixtures.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

/// Of x [rows, 6, 4, 5, 3].
std::vector<std::string> mixing_in(const std::string& expression,
                                   Doubtful doubtful = Doubtful::kMixes) {
  const auto graph = testing::scripted_graph("x, a", expression, {testing::normal_values({6}, 1)});
  return mixing_operators(*graph, {5}, doubtful);
}

TEST(MixingOperators, AreThoseThatReachTheRowsOfABatch) {
  for (const auto& [expression, name] : std::vector<std::pair<std::string, std::string>>{
           {"torch.batch_norm(x, a, a, None, None, True, 0.1, 1e-5, False)", "aten::batch_norm"},
           {"torch.relu(torch.batch_norm(x, None, None, None, None, True, 0.1, 1e-5, False))",
            "aten::batch_norm"},
           {"x - x.mean()", "aten::mean"},
           {"x - x.mean([0], True)", "aten::mean"},
           {"x - x.mean([0, 2, 3, 4], True)", "aten::mean"},
           {"x - x.mean([-5], True)", "aten::mean"},
           {"x / x.std()", "aten::std"},
           {"x / x.var(0, True, True)", "aten::var"},
           {"x / x.amax([0])", "aten::amax"},
           {"x / x.max()", "aten::max"},
           {"x - x.min(0)[0]", "aten::min"},
           {"x / torch.norm(x)", "aten::norm"},
           {"x / torch.linalg_vector_norm(x)", "aten::linalg_vector_norm"},
           {"torch.softmax(x, 0)", "aten::softmax"},
           {"torch.log_softmax(x.permute([1, 2, 3, 4, 0]), -1)", "aten::log_softmax"},
           {"torch.softmax(x.permute([1, 0, 2, 3, 4]), 1)", "aten::softmax"},
           {"torch.softmax(x.transpose(0, 2), 2)", "aten::softmax"},
           {"torch.softmax(x.reshape([-1]), -1)", "aten::softmax"},
           {"torch.softmax(x.flatten(), -1)", "aten::softmax"},
           {"x.cumsum(0)", "aten::cumsum"},
           {"torch.sort(x, 0)[0]", "aten::sort"},
           {"torch.topk(x, 1, 0)[0]", "aten::topk"},
           {"torch.logsumexp(x, [0, 1])", "aten::logsumexp"},
           {"x * torch.argmax(x)", "aten::argmax"},
           {"x.flip([0])", "aten::flip"},
           {"x - x[:1]", "aten::slice"},
           {"x - x[0]", "aten::select"},
           {"x.mean([x.size(1) - 6], True)", "aten::mean"},
           {"torch.relu(x).mean(2).mean(2).mean([-3])", "aten::mean"}}) {
    EXPECT_EQ(mixing_in(expression), std::vector<std::string>{name}) << expression;
  }
}

TEST(MixingOperators, AreNoneWhereEachRowIsByItself) {
  for (const char* const expression :
       {"torch.batch_norm(x, a, a, a, a, False, 0.1, 1e-5, False)",
        "torch.instance_norm(x, a, a, None, None, True, 0.1, 1e-5, False)",
        "torch.group_norm(x, 2, a, a)",
        "x - x.mean([1, 2, 3, 4], True)",
        "x - x.mean([-1, -2, -3], True)",
        "torch.softmax(x, 1)",
        "torch.softmax(x, -1)",
        "torch.softmax(x.permute([0, 2, 3, 4, 1]), -1)",
        "torch.softmax(x.permute([1, 0, 2, 3, 4]), 0)",
        "torch.softmax(x.transpose(0, 1)[2], -1)",
        "torch.relu(x[:, :2])",
        "torch.softmax(x.view([x.size(0), 6, -1]), -1)",
        "torch.max(x, x * 2.0)",
        "torch.softmax(torch.matmul(x, x.transpose(-1, -2)), -1)",
        "torch.softmax(torch.einsum('bcxyz,bcxyw->bcxzw', [x, x]), -1)",
        "torch.cat([x, x], 1).amax([2, 3, 4])",
        "x.mean([2, 3, 4]).softmax(-1)",
        "torch.stack([x, x], 0)[1].mean([1])",
        "x.flatten(1).mean([1], True)",
        "x.unsqueeze(0).mean([0])",
        "x * torch.softmax(a, 0).view([1, 6, 1, 1, 1])",
        "torch.adaptive_avg_pool3d(x, [1, 1, 1])"}) {
    EXPECT_EQ(mixing_in(expression), std::vector<std::string>{}) << expression;
  }
}

TEST(MixingOperators, AreInDoubtWhereADimensionIsComputedOrTheRankNotKnown) {
  for (const char* const expression :
       {"x.mean([x.size(1) - 6], True)", "torch.softmax(x.squeeze(), -1)"}) {
    EXPECT_EQ(mixing_in(expression, Doubtful::kMixes).size(), 1u) << expression;
    EXPECT_TRUE(mixing_in(expression, Doubtful::kDoesNot).empty()) << expression;
  }
}

/// A batch norm without running statistics of many voxels: a batch changes it by little.
const testing::TinyNetwork kMixing = {R"(
def forward(self, x):
    x = torch.relu(torch.conv3d(x, self.w1, self.b1, [1, 1, 1], [1, 1, 1]))
    x = torch.dropout(x, 0.01, True)
    x = torch.conv3d(x[:, :2] + x[:, 2:4], self.w1, self.b1, [1, 1, 1], [1, 1, 1])
    x = torch.batch_norm(x, None, None, None, None, True, 0.1, 1e-5, False)
    return torch.conv3d(torch.conv3d(x, self.w2, self.b2), self.w3, self.b3)
)"};

TEST(MixingOperators, AreNamedWherePassesThereforeRunOneAtATime) {
  const auto segmenter =
      load_torchscript_segmenter(testing::tiny_bundle({kMixing}), {.device = "cpu", .threads = 1});
  EXPECT_EQ(segmenter->summary().notes,
            std::vector<std::string>{
                "Passes run one at a time: in a batch aten::batch_norm mixes them."});
}

using testing::OnTheGpu;

TEST_F(OnTheGpu, PassesThatABatchWouldMixByLittleRunOneAtATimeInHalfPrecision) {
  const auto segmenter =
      load_torchscript_segmenter(testing::tiny_bundle({kMixing}),
                                 {.device = "cuda", .threads = 1, .precision = Precision::kFp16});
  EXPECT_EQ(segmenter->summary().passes_per_batch, 1);
  EXPECT_EQ(segmenter->summary().notes,
            std::vector<std::string>{
                "Passes run one at a time: in a batch aten::batch_norm mixes them."});
}

}  // namespace
}  // namespace mcvol
