#include "network/convolutions/winograd_convolution.h"

#include <exception>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "network/convolutions/convolutions.h"
#include "network/support/convolution_case.h"
#include "network/support/scripted_graph.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

using testing::ConvolutionCase;
using testing::normal_values;
using testing::random_whole;
using Triple = ConvolutionCase::Triple;

constexpr Triple kOnes = {1, 1, 1};

/// With lines of every remainder to a quad.
ConvolutionCase random_winograd_case(std::mt19937& generator) {
  ConvolutionCase of{.dilation = 1};
  of.kernel = {random_whole(generator, 2, 4), random_whole(generator, 3, 6), 3};
  for (std::int64_t& zeros : of.padding) zeros = random_whole(generator, 0, 3);
  of.input = {random_whole(generator, of.kernel[0], 24), random_whole(generator, 16, 50),
              random_whole(generator, 14, 40)};
  of.in = random_whole(generator, 4, 20);
  of.out = random_whole(generator, 5, 27);
  of.bias = random_whole(generator, 0, 1) == 1;
  return of;
}

ConvolutionCase case_of(const Triple& input, std::int64_t in, std::int64_t out, bool bias) {
  return {input, {3, 3, 3}, kOnes, 1, in, out, bias};
}

/// Not some other convolution, of which the tests below would be true as well.
void expect_by_winograd(const ConvolutionCase& of, const at::Tensor& x) {
  const std::vector<at::Tensor> fixed = of.parameters();
  EXPECT_TRUE(is_for_winograd(x, fixed[0], fixed[1], of.padding, kOnes, kOnes, 1)) << of.text();
}

TEST(WinogradConvolution, IsForThreeWideKernelsOfStrideOneInFp32OnLargePlanes) {
  const at::Tensor x = normal_values({1, 8, 3, 16, 16}, 1);
  const at::Tensor weight = at::zeros({8, 8, 3, 3, 3});
  const auto fits = [&](const at::Tensor& input, const at::Tensor& w, const Triple& stride,
                        const Triple& dilation, std::int64_t groups) {
    return is_for_winograd(input, w, {}, kOnes, stride, dilation, groups);
  };
  EXPECT_TRUE(fits(x, weight, kOnes, kOnes, 1));
  EXPECT_FALSE(fits(x, weight, {1, 1, 2}, kOnes, 1));
  EXPECT_FALSE(fits(x, weight, kOnes, {1, 1, 2}, 1));
  EXPECT_FALSE(fits(x, weight, kOnes, {2, 1, 1}, 1));
  EXPECT_FALSE(fits(x, at::zeros({8, 4, 3, 3, 3}), kOnes, kOnes, 2));
  EXPECT_FALSE(fits(x, at::zeros({8, 8, 3, 3, 5}), kOnes, kOnes, 1));
  EXPECT_FALSE(fits(x.to(at::kBFloat16), weight, kOnes, kOnes, 1));
  EXPECT_FALSE(fits(normal_values({1, 8, 16, 4, 16}, 1), weight, kOnes, kOnes, 1));
  EXPECT_FALSE(
      fits(normal_values({1, 3, 3, 16, 16}, 1), at::zeros({8, 3, 3, 3, 3}), kOnes, kOnes, 1));
  EXPECT_FALSE(fits(x, at::zeros({8, 8, 2, 3, 3}), kOnes, kOnes, 1));
  EXPECT_FALSE(fits(x, at::zeros({8, 7, 3, 3, 3}), kOnes, kOnes, 1));
  EXPECT_FALSE(fits(x, at::zeros({8, 8, 6, 3, 3}), kOnes, kOnes, 1));
  // Sizes below none, of which the product would be large.
  EXPECT_FALSE(
      fits(normal_values({1, 8, 3, 1, 1}, 1), at::zeros({8, 8, 1, 99, 3}), kOnes, kOnes, 1));
  EXPECT_FALSE(
      fits(normal_values({1, 129, 3, 16, 16}, 1), at::zeros({8, 129, 3, 3, 3}), kOnes, kOnes, 1));
}

TEST(WinogradConvolution, GivesWhatTheConvolutionGivesForRandomGeometry) {
  std::mt19937 generator(1);
  int made = 0;
  for (int n = 0; n < 120; ++n) {
    const ConvolutionCase of = random_winograd_case(generator);
    const at::Tensor x = of.random_input(2);
    if (!is_for_winograd(x, of.parameters()[0], {}, of.padding, kOnes, kOnes, 1)) continue;
    ++made;
    const at::Tensor expected = of.exact(x);
    const at::Tensor laid = n % 2 == 0 ? x : x.contiguous(at::MemoryFormat::ChannelsLast3d);
    const at::Tensor found = testing::run_graph(of.graph(), laid, 1 + n % 3);
    ASSERT_EQ(found.sizes(), expected.sizes()) << of.text();
    EXPECT_LT(testing::relative_difference(found, expected), 1e-5) << of.text();
  }
  EXPECT_GT(made, 80);
}

TEST(WinogradConvolution, ARowHasTheSameBitsInAnyBatchOnAnyThreads) {
  std::mt19937 generator(2);
  for (int n = 0; n < 20; ++n) {
    const ConvolutionCase of = random_winograd_case(generator);
    testing::expect_same_bits_in_any_batch(of.graph(), of.random_input(5), of.text());
  }
}

// So many channels that a plane is made in several bands of lines, the last of which is lower.
TEST(WinogradConvolution, OfManyChannelsInBands) {
  const ConvolutionCase of = {{18, 41, 61}, {2, 5, 3}, {1, 0, 2}, 1, 64, 9, true};
  const at::Tensor x = of.random_input(2);
  expect_by_winograd(of, x);
  for (const auto layout : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast3d}) {
    const at::Tensor found = testing::run_graph(of.graph(), x.contiguous(layout), 2);
    EXPECT_LT(testing::relative_difference(found, of.exact(x)), 1e-5);
  }
  testing::expect_same_bits_in_any_batch(of.graph(), of.random_input(5), of.text());
}

// Planes are cut finer for more threads.
TEST(WinogradConvolution, HasTheSameBitsHoweverPlanesAreCut) {
  const ConvolutionCase of = case_of({13, 16, 16}, 16, 16, true);
  const at::Tensor x = of.random_input(1);
  expect_by_winograd(of, x);
  const at::Tensor expected = testing::run_graph(of.graph(), x, 1);
  for (const int threads : {2, 3, 7}) {
    EXPECT_TRUE(testing::run_graph(of.graph(), x, threads).equal(expected)) << threads;
  }
}

/// What rounding does beside sums in the same precision, as they are made anywhere else; with an
/// offset nearly all of a sum cancels.
TEST(WinogradConvolution, RoundsAtMostEightTimesAsMuchAsSumsDo) {
  const ConvolutionCase of = case_of({12, 40, 40}, 32, 16, false);
  for (const double offset : {0.0, 100.0}) {
    const at::Tensor x = at::relu(of.random_input(1)) + offset;
    expect_by_winograd(of, x);
    const at::Tensor expected = of.exact(x);
    const auto error = [&](const at::Tensor& found) {
      return (found.to(at::kDouble) - expected).square().mean().sqrt().item<double>();
    };
    const double direct = error(at::conv3d(x, of.parameters()[0], {}, kOnes, of.padding));
    const double winograd = error(testing::run_graph(of.graph(), x));
    RecordProperty("winograd_over_direct", std::to_string(winograd / direct));
    EXPECT_LT(winograd, 8 * direct) << offset;
  }
}

// Lines are made by fours: voxels 8 and 9 have no part of an infinity at 11, but are made with
// those that have.
TEST(WinogradConvolution, WhatIsNotFiniteStaysWithinItsFoursOfVoxels) {
  const ConvolutionCase of = case_of({6, 20, 20}, 8, 8, true);
  at::Tensor x = of.random_input(1);
  const at::Tensor without = testing::run_graph(of.graph(), x);
  x[0][3][2][10][11] = std::numeric_limits<float>::infinity();
  expect_by_winograd(of, x);
  const at::Tensor found = testing::run_graph(of.graph(), x);
  const auto around = [](const at::Tensor& tensor, std::int64_t begin, std::int64_t count) {
    return tensor[0].narrow(1, 1, 3).narrow(2, 9, 3).narrow(3, begin, count);
  };
  EXPECT_FALSE(around(found, 10, 3).isfinite().any().item<bool>());
  at::Tensor rest = found.clone();
  around(rest, 8, 5).copy_(around(without, 8, 5));
  EXPECT_TRUE(rest.equal(without));
}

TEST(WinogradConvolution, ReadsABiasThatIsAViewOfSomethingLarger) {
  const ConvolutionCase of = case_of({6, 20, 20}, 8, 8, true);
  std::vector<at::Tensor> fixed = of.parameters();
  fixed[1] = at::stack({fixed[1], at::full({8}, 1e3F)}, 1).select(1, 0);
  ASSERT_FALSE(fixed[1].is_contiguous());
  const auto graph = testing::scripted_graph("x, w, b", "torch.conv3d(x, w, b, 1, 1)", fixed);
  use_invariant_convolutions(graph);
  const at::Tensor x = of.random_input(1);
  expect_by_winograd(of, x);
  EXPECT_LT(testing::relative_difference(testing::run_graph(graph, x), of.exact(x)), 1e-5);
}

TEST(WinogradConvolution, OfNoRowsIsOfNoRows) {
  const ConvolutionCase of = case_of({6, 20, 20}, 8, 8, true);
  const at::Tensor none = of.random_input(1).narrow(0, 0, 0);
  EXPECT_EQ(testing::run_graph(of.graph(), none).sizes(), at::IntArrayRef({0, 8, 6, 20, 20}));
}

// Kernels that do not look at what they read must not get it: narrow ones, and by Winograd.
class WrongOperands : public ::testing::TestWithParam<std::int64_t> {
 protected:
  void expect_error(const char* convolution, std::int64_t channels, std::int64_t biases) const {
    const ConvolutionCase of = case_of({6, 20, 20}, 8, GetParam(), true);
    const auto graph = testing::scripted_graph("x, w, b", convolution,
                                               {of.parameters()[0], normal_values({biases}, 3)});
    use_invariant_convolutions(graph);
    EXPECT_THROW(testing::run_graph(graph, normal_values({1, channels, 6, 20, 20}, 1)),
                 std::exception);
  }
};

TEST_P(WrongOperands, InputOfOtherChannelsIsAnError) {
  expect_error("torch.conv3d(x, w, b, 1, 1)", 7, GetParam());
}

TEST_P(WrongOperands, ABiasOfOtherChannelsIsAnError) {
  expect_error("torch.conv3d(x, w, b, 1, 1)", 8, 1);
}

TEST_P(WrongOperands, NegativePaddingIsAnError) {
  expect_error("torch.conv3d(x, w, b, 1, [0, 0, -1])", 8, GetParam());
}

TEST_P(WrongOperands, AKernelLargerThanTheInputIsAnError) {
  const ConvolutionCase of = case_of({2, 20, 20}, 8, GetParam(), false);
  const auto graph =
      testing::scripted_graph("x, w, b", "torch.conv3d(x, w, b, 1, 0)", of.parameters());
  use_invariant_convolutions(graph);
  EXPECT_THROW(testing::run_graph(graph, of.random_input(1)), std::exception);
}

INSTANTIATE_TEST_SUITE_P(OutputChannels, WrongOperands, ::testing::Values(3, 8));

}  // namespace
}  // namespace mcvol
