#include "network/rewrites/channel_concatenation.h"

#include <string>
#include <vector>

#include "network/jit/graph_nodes.h"
#include "network/support/scripted_graph.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::normal_values;

std::shared_ptr<torch::jit::Graph> concatenation(const std::string& expression) {
  const auto graph = testing::scripted_graph("x", expression);
  use_channel_concatenation(graph);
  return graph;
}

bool is_laid_out(const at::Tensor& tensor, at::MemoryFormat format) {
  return tensor.is_contiguous(format);
}

at::Tensor channels_last_values(const std::vector<std::int64_t>& sizes) {
  return normal_values(sizes, 1).contiguous(at::MemoryFormat::ChannelsLast3d);
}

TEST(ChannelConcatenation, GivesWhatAtensGivesInAnyLayout) {
  const std::string expression = "torch.cat([x, x[:, 1:4] * 2.0, x], 1)";
  const auto plain = testing::scripted_graph("x", expression);
  const at::Tensor planar = normal_values({3, 6, 5, 7, 9}, 1);
  for (const at::Tensor& x :
       {planar, planar.contiguous(at::MemoryFormat::ChannelsLast3d), planar.transpose(2, 4),
        channels_last_values({1, 6, 5, 7, 9}).expand({4, 6, 5, 7, 9}),
        channels_last_values({2, 1, 5, 7, 9}), planar.to(at::kDouble)}) {
    EXPECT_TRUE(
        testing::run_graph(concatenation(expression), x, 2).equal(testing::run_graph(plain, x)));
  }
  const at::Tensor flat = normal_values({3, 6}, 1);
  EXPECT_TRUE(testing::run_graph(concatenation("torch.cat([x, x], 1)"), flat)
                  .equal(at::cat({flat, flat}, 1)));
}

TEST(ChannelConcatenation, KeepsChannelsLastWhereOneSampleStandsForAll) {
  const auto graph = concatenation("torch.cat([x * 2.0, x], 1)");
  const at::Tensor x = channels_last_values({1, 6, 5, 7, 9}).expand({4, 6, 5, 7, 9});
  EXPECT_TRUE(is_laid_out(testing::run_graph(graph, x), at::MemoryFormat::ChannelsLast3d));
  EXPECT_FALSE(is_laid_out(at::cat({x.contiguous(at::MemoryFormat::ChannelsLast3d), x}, 1),
                           at::MemoryFormat::ChannelsLast3d));
  const at::Tensor planar = normal_values({2, 6, 5, 7, 9}, 1);
  EXPECT_TRUE(is_laid_out(testing::run_graph(graph, planar), at::MemoryFormat::Contiguous));
}

TEST(ChannelConcatenation, RefusesWhatAtensRefuses) {
  const auto graph = concatenation("torch.cat([x, x[:, :, 1:]], 1)");
  EXPECT_ANY_THROW(testing::run_graph(graph, channels_last_values({1, 6, 5, 7, 9})));
}

}  // namespace
}  // namespace mcvol
