// Chains of 1x1x1 convolutions whose lengths do not fit: PyTorch's operators are to say so.

#include <string>
#include <vector>

#include "network/dropout/dropout_operator.h"
#include "network/passes/pointwise_network.h"
#include "network/support/scripted_graph.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::normal_values;

/// Of x, 13 channels: v [21, 13], w [5, 21] and u [5, 20] weights, a [21], b [5] and c [1]
/// parameters; D drops x.
bool is_understood(const std::string& expression, std::int64_t channels = 13) {
  register_dropout_operators();
  const auto unit = [](std::int64_t outputs, std::int64_t inputs, unsigned seed) {
    return normal_values({outputs, inputs, 1, 1, 1}, seed, 0.3F);
  };
  std::string written = expression;
  written.replace(written.find('D'), 1, "mcvol.dropout(x, d, p, 0.3, 0, 0, 0)");
  const auto graph = testing::scripted_graph(
      "x, d, p, v, w, u, a, b, c", written,
      {unit(21, 13, 1), unit(5, 21, 2), unit(5, 20, 3), normal_values({21}, 4).square().add(0.1),
       normal_values({5}, 5), normal_values({1}, 6).square()});
  const std::vector<std::int64_t> inputs = {channels};
  return PointwiseNetwork::from(*graph, inputs).has_value();
}

TEST(PointwiseShapes, ThatFitAreUnderstood) {
  EXPECT_TRUE(
      is_understood("torch.conv3d(torch.prelu(torch.batch_norm(torch.conv3d(D, v, a), a, "
                    "a, a, a, False, 0.1, 1e-5, False), a), w, b)"));
  EXPECT_TRUE(is_understood("torch.conv3d(torch.prelu(torch.conv3d(D, v, a), c), w, b)"));
}

TEST(PointwiseShapes, ThatDoNotFitAreLeftToTheGraph) {
  for (const char* const expression :
       {"torch.conv3d(torch.conv3d(D, v, b), w, b)", "torch.conv3d(torch.conv3d(D, v, c), w, b)",
        "torch.conv3d(torch.conv3d(D, v, a), w, c)", "torch.conv3d(torch.conv3d(D, v, a), u, b)",
        "torch.conv3d(torch.conv3d(D, v, a), v, a)",
        "torch.conv3d(torch.prelu(torch.conv3d(D, v, a), b), w, b)",
        "torch.batch_norm(torch.conv3d(D, v, a), a, a, a, c, False, 0.1, 1e-5, False)",
        "torch.batch_norm(torch.conv3d(D, v, a), a, a, c, c, False, 0.1, 1e-5, False)",
        "torch.batch_norm(torch.conv3d(D, v, a), c, a, a, a, False, 0.1, 1e-5, False)",
        "torch.batch_norm(torch.conv3d(D, v, a), a, c, a, a, False, 0.1, 1e-5, False)",
        "torch.batch_norm(torch.conv3d(D, v, a), b, b, b, b, False, 0.1, 1e-5, False)"}) {
    EXPECT_FALSE(is_understood(expression)) << expression;
  }
}

TEST(PointwiseShapes, OfWhatThePrefixGivesMustFitTheFirstLayer) {
  EXPECT_FALSE(is_understood("torch.conv3d(D, v, a)", 12));
  EXPECT_FALSE(is_understood("torch.conv3d(D, v, a)", 14));
  EXPECT_TRUE(is_understood("torch.conv3d(D, v, a)", 13));
}

}  // namespace
}  // namespace mcvol
