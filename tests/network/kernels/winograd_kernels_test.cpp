#include "network/kernels/cpu/winograd_kernels.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "network/kernels/cpu/strip_kernels.h"
#include "network/kernels/kernel_numbers.h"
#include "network/kernels/on_every_variant.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

std::int64_t product(const WinogradShape::Triple& of) { return of[0] * of[1] * of[2]; }

/// A convolution with its numbers, channels last.
struct WinogradCase {
  WinogradShape shape;
  std::vector<float> input = numbers(product(shape.input) * shape.channels, 1);
  std::vector<float> weights = numbers(shape.outputs * product(shape.kernel) * shape.channels, 2);
  std::vector<float> bias = numbers(shape.outputs, 3);

  WinogradShape::Triple output_sizes() const {
    return {shape.output_size(0), shape.output_size(1), shape.output_size(2)};
  }

  /// Made of parts of so many lines.
  std::vector<float> result(std::int64_t lines) const {
    std::vector<float> transformed(winograd_weight_floats(shape));
    const auto group = static_cast<std::int64_t>(kStripGroup);
    for (std::int64_t n = 0; n * group < shape.outputs; ++n) {
      winograd_weights(weights.data(), shape, n, transformed);
    }
    std::vector<float> output(static_cast<std::size_t>(product(output_sizes()) * shape.outputs));
    for (std::int64_t line = 0; line < shape.output_size(1); line += lines) {
      const WinogradPart part{0, shape.output_size(0), line,
                              std::min(line + lines, shape.output_size(1))};
      std::vector<float> working(winograd_working_floats(shape, part.end_line - part.first_line));
      winograd_part(shape, transformed, bias, input.data(), part, output.data(), working);
    }
    return output;
  }

  /// The output at a voxel by its definition, in double.
  double direct(const WinogradShape::Triple& at, std::int64_t output) const {
    const auto& kernel = shape.kernel;
    double sum = bias[static_cast<std::size_t>(output)];
    for (std::int64_t tap = 0; tap < product(kernel); ++tap) {
      const WinogradShape::Triple taps = {tap / (kernel[1] * kernel[2]),
                                          tap / kernel[2] % kernel[1], tap % kernel[2]};
      std::int64_t voxel = 0;
      bool inside = true;
      for (std::size_t axis = 0; axis < 3; ++axis) {
        const std::int64_t x = at[axis] + taps[axis] - shape.padding[axis];
        inside = inside && x >= 0 && x < shape.input[axis];
        voxel = voxel * shape.input[axis] + x;
      }
      if (!inside) continue;
      for (std::int64_t channel = 0; channel < shape.channels; ++channel) {
        const std::int64_t weight = (output * product(kernel) + tap) * shape.channels + channel;
        sum += double{input[static_cast<std::size_t>(voxel * shape.channels + channel)]} *
               weights[static_cast<std::size_t>(weight)];
      }
    }
    return sum;
  }
};

/// How far a sum of so many products of normal numbers may be from that of double: their rounding,
/// times what the transforms add and take away again (factors up to 8 and 1/24).
double tolerance(const WinogradShape& shape) {
  const auto terms = static_cast<double>(product(shape.kernel) * shape.channels);
  return 2e-5 * std::sqrt(terms);
}

void expect_direct_convolution(const WinogradShape& shape, std::int64_t lines) {
  const WinogradCase of{shape};
  const std::vector<float> found = of.result(lines);
  const auto sizes = of.output_sizes();
  for (std::int64_t n = 0; n < std::ssize(found); ++n) {
    const std::int64_t voxel = n / shape.outputs;
    const WinogradShape::Triple at = {voxel / (sizes[1] * sizes[2]), voxel / sizes[2] % sizes[1],
                                      voxel % sizes[2]};
    ASSERT_NEAR(found[static_cast<std::size_t>(n)], of.direct(at, n % shape.outputs),
                tolerance(shape))
        << shape.channels << " channels, " << shape.outputs << " outputs, voxel " << voxel;
  }
}

class WinogradKernelsOnEveryVariant : public OnEveryVariant {};

TEST_P(WinogradKernelsOnEveryVariant, AreConvolutions) {
  for (const std::int64_t channels : {1, 8, 13}) {
    for (const std::int64_t outputs : {1, 7, 8, 19}) {
      expect_direct_convolution({.channels = channels,
                                 .outputs = outputs,
                                 .input = {3, 4, 11},
                                 .kernel = {3, 3, 3},
                                 .padding = {1, 1, 1}},
                                3);
    }
  }
}

TEST_P(WinogradKernelsOnEveryVariant, AreConvolutionsOfLinesOfAnyLengthAndAnyKernel) {
  for (std::int64_t length = 3; length < 40; length += 4) {
    for (const std::int64_t kernel : {1, 2}) {
      expect_direct_convolution({.channels = 5,
                                 .outputs = 9,
                                 .input = {2, 3, length},
                                 .kernel = {kernel, 3 - kernel, 3},
                                 .padding = {0, kernel - 1, length % 2}},
                                2);
    }
  }
}

TEST_P(WinogradKernelsOnEveryVariant, HaveTheSameBitsHoweverLinesAreParted) {
  const WinogradCase of{{.channels = 10,
                         .outputs = 12,
                         .input = {3, 9, 21},
                         .kernel = {3, 3, 3},
                         .padding = {1, 1, 1}}};
  const std::vector<float> whole = of.result(9);
  for (const std::int64_t lines : {1, 2, 5}) EXPECT_EQ(of.result(lines), whole);
}

INSTANTIATE_TEST_SUITE_P(, WinogradKernelsOnEveryVariant, kEveryVariant);

}  // namespace
}  // namespace mcvol
