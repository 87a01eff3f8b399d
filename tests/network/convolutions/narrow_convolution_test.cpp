#include "network/convolutions/narrow_convolution.h"

#include <random>
#include <string>
#include <vector>

#include "network/convolutions/transposed_convolutions.h"
#include "network/support/convolution_case.h"
#include "network/support/scripted_graph.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::ConvolutionCase;
using testing::normal_values;
using testing::random_whole;
using Triple = ConvolutionCase::Triple;

/// With lines shorter and longer than a strip.
ConvolutionCase random_case(std::mt19937& generator) {
  ConvolutionCase of;
  of.dilation = random_whole(generator, 1, 2);
  const Triple most = {9, 9, 120};
  do {
    for (std::size_t d = 0; d < 3; ++d) of.kernel[d] = random_whole(generator, 1, 4);
  } while (of.kernel == Triple{1, 1, 1});
  for (std::size_t d = 0; d < 3; ++d) {
    of.input[d] = random_whole(generator, of.dilation * (of.kernel[d] - 1) + 1, most[d]);
    of.padding[d] = random_whole(generator, 0, 3);
  }
  of.in = random_whole(generator, 2, 7);
  of.out = random_whole(generator, 1, 4);
  of.bias = random_whole(generator, 0, 1) == 1;
  return of;
}

TEST(NarrowConvolution, IsForFewOutputsOfWideKernelsInFp32) {
  const at::Tensor x = normal_values({1, 8, 4, 4, 4}, 1);
  const auto weight = [](std::int64_t outputs, std::int64_t kernel) {
    return at::zeros({outputs, 8, kernel, kernel, kernel});
  };
  EXPECT_TRUE(is_narrow(x, weight(3, 3), {}, 1));
  EXPECT_TRUE(is_narrow(x, weight(4, 2), {}, 1));
  EXPECT_FALSE(is_narrow(x, weight(5, 3), {}, 1));
  EXPECT_FALSE(is_narrow(x, weight(3, 1), {}, 1));
  EXPECT_FALSE(is_narrow(x, weight(2, 3), {}, 2));
  EXPECT_FALSE(is_narrow(x.to(at::kBFloat16), weight(3, 3), {}, 1));
  EXPECT_FALSE(is_narrow(normal_values({1, 7, 4, 4, 4}, 1), weight(3, 3), {}, 1));
}

TEST(NarrowConvolution, GivesWhatTheConvolutionGivesForRandomGeometry) {
  std::mt19937 generator(1);
  for (int n = 0; n < 150; ++n) {
    const ConvolutionCase of = random_case(generator);
    const at::Tensor x = of.random_input(2);
    ASSERT_TRUE(is_narrow(x, of.parameters()[0], {}, 1));
    const at::Tensor expected = of.exact(x);
    const at::Tensor laid = n % 2 == 0 ? x : x.contiguous(at::MemoryFormat::ChannelsLast3d);
    const at::Tensor found = testing::run_graph(of.graph(), laid, 1 + n % 3);
    ASSERT_EQ(found.sizes(), expected.sizes()) << of.text();
    EXPECT_LT(testing::relative_difference(found, expected), 2e-6) << of.text();
  }
}

TEST(NarrowConvolution, ARowHasTheSameBitsInAnyBatchOnAnyThreads) {
  std::mt19937 generator(2);
  for (int n = 0; n < 30; ++n) {
    const ConvolutionCase of = random_case(generator);
    testing::expect_same_bits_in_any_batch(of.graph(), of.random_input(5), of.text());
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
