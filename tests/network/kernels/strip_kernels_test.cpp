#include "network/kernels/cpu/strip_kernels.h"

#include <cmath>
#include <limits>

#include "network/kernels/kernel_numbers.h"
#include "network/kernels/on_every_variant.h"
#include <gtest/gtest.h>

namespace mcvol {
namespace {

/// A sum in double, and how far one of floats may be from it: each of its terms may round the
/// whole.
struct Sum {
  double value = 0.0, magnitude = 0.0;
  int terms = 0;

  void add(double term) {
    value += term;
    magnitude += std::abs(term);
    ++terms;
  }
  double tolerance() const {
    return 1e-30 + terms * magnitude * std::numeric_limits<float>::epsilon();
  }
};

/// Sums over inputs that overlap, as those of a convolution do.
struct StripCase {
  std::int64_t outputs, inputs, voxels;
  bool with_bias = true;

  std::int64_t offset(std::int64_t input) const { return input * 7 % 61; }
};

void expect_strip_sums(const StripCase& of) {
  const std::vector<float> weights = numbers(of.outputs * of.inputs, 1);
  const std::vector<float> bias = numbers(of.with_bias ? of.outputs : 0, 2);
  const std::vector<float> input = numbers(61 + kStripVoxels, 3);
  std::vector<std::int64_t> offsets;
  for (std::int64_t n = 0; n < of.inputs; ++n) offsets.push_back(of.offset(n));
  const auto weight = [&](std::size_t m, std::size_t n) { return weights[m * offsets.size() + n]; };
  const auto outputs = static_cast<std::size_t>(of.outputs);
  std::vector<Strip> result(outputs);
  strip_sums(packed_weights(outputs, offsets.size(), weight), bias, offsets, input.data(),
             of.voxels, result);
  for (std::size_t m = 0; m < outputs; ++m) {
    for (std::int64_t voxel = 0; voxel < of.voxels; ++voxel) {
      Sum sum;
      sum.add(of.with_bias ? bias[m] : 0.0);
      for (std::size_t n = 0; n < offsets.size(); ++n) {
        sum.add(double{weight(m, n)} * input[static_cast<std::size_t>(offsets[n] + voxel)]);
      }
      ASSERT_NEAR(result[m][static_cast<std::size_t>(voxel)], sum.value, sum.tolerance())
          << of.outputs << " outputs, " << of.inputs << " inputs, output " << m;
    }
  }
}

class StripKernelsOnEveryVariant : public OnEveryVariant {};

TEST_P(StripKernelsOnEveryVariant, SumsAreThoseOfDoubleWhateverTheRestOfAGroup) {
  for (std::int64_t outputs = 1; outputs <= 20; ++outputs) {
    for (const std::int64_t inputs : {1, 2, 27, 100}) {
      for (const std::int64_t voxels : {1, 13, 24, 25, 48}) {
        expect_strip_sums({outputs, inputs, voxels, outputs % 2 == 0});
        ASSERT_FALSE(HasFatalFailure());
      }
    }
  }
}

TEST_P(StripKernelsOnEveryVariant, ASumHasTheSameBitsWhereverItsVoxelStands) {
  const std::vector<float> input = numbers(200, 3), weights = numbers(9 * 10, 4);
  const std::vector<std::int64_t> offsets = {0, 3, 5, 30, 31, 32, 60, 80, 81, 99};
  const std::vector<float> packed = packed_weights(
      9, offsets.size(), [&](std::size_t m, std::size_t n) { return weights[m * 10 + n]; });
  std::vector<Strip> together(9), alone(9);
  strip_sums(packed, {}, offsets, input.data(), kStripVoxels, together);
  for (std::int64_t voxel = 0; voxel < kStripVoxels; ++voxel) {
    strip_sums(packed, {}, offsets, input.data() + voxel, 1, alone);
    for (std::size_t m = 0; m < together.size(); ++m) {
      ASSERT_EQ(together[m][static_cast<std::size_t>(voxel)], alone[m][0]);
    }
  }
}

/// A layer of channels some of which a mask has dropped.
struct MaskedLayer {
  static constexpr std::int64_t kInputs = 11, kOutputs = 14;
  std::vector<std::int32_t> inputs, outputs;
  std::vector<float> weights = numbers(kInputs * kOutputs, 5), bias = numbers(kOutputs, 6);
  std::vector<float> slope;
  std::vector<Strip> all_inputs{kInputs}, kept_inputs, addend{kOutputs};
  float factor = 1.25F;

  MaskedLayer(std::vector<std::int32_t> kept_of_inputs, std::vector<std::int32_t> kept_of_outputs)
      : inputs(std::move(kept_of_inputs)), outputs(std::move(kept_of_outputs)) {
    std::uint32_t seed = 10;
    for (auto* const rows : {&all_inputs, &addend}) {
      for (Strip& row : *rows) {
        const std::vector<float> values = numbers(kStripVoxels, seed++);
        std::copy(values.begin(), values.end(), row.begin());
      }
    }
    for (const std::int32_t input : inputs) {
      kept_inputs.push_back(all_inputs[static_cast<std::size_t>(input)]);
    }
  }

  void expect_run(bool all_rows, bool with_addend) const {
    const StripConvolution layer(weights, inputs, outputs, kInputs, factor, bias, slope);
    std::vector<Strip> result(outputs.size());
    layer.run((all_rows ? all_inputs : kept_inputs).data(), all_rows,
              with_addend ? addend.data() : nullptr, result.data());
    for (std::size_t m = 0; m < outputs.size(); ++m) {
      const auto output = static_cast<std::size_t>(outputs[m]);
      for (std::size_t voxel = 0; voxel < kStripVoxels; ++voxel) {
        Sum sum;
        sum.add(bias[output]);
        if (with_addend) sum.add(addend[output][voxel]);
        for (const std::int32_t n : inputs) {
          const auto input = static_cast<std::size_t>(n);
          sum.add(double{weights[output * kInputs + input]} * factor * all_inputs[input][voxel]);
        }
        const double bent = slope.empty() ? 1.0 : slope[slope.size() == 1 ? 0 : output];
        ASSERT_NEAR(result[m][voxel], sum.value > 0.0 ? sum.value : sum.value * bent,
                    2.0 * sum.tolerance());
      }
    }
  }
};

TEST_P(StripKernelsOnEveryVariant, LayersAreOfTheChannelsThatMasksKeep) {
  MaskedLayer layer({0, 2, 3, 7, 10}, {1, 2, 3, 5, 8, 9, 10, 11, 13});
  for (const std::int64_t slopes : {std::int64_t{0}, std::int64_t{1}, MaskedLayer::kOutputs}) {
    layer.slope = numbers(slopes, 7);
    for (const bool all_rows : {false, true}) {
      for (const bool with_addend : {false, true}) layer.expect_run(all_rows, with_addend);
    }
  }
}

TEST_P(StripKernelsOnEveryVariant, LayersOfNoInputAndOfNoOutputAreLayers) {
  MaskedLayer({}, {0, 4, 5}).expect_run(false, true);
  MaskedLayer({1, 2}, {}).expect_run(true, false);
}

INSTANTIATE_TEST_SUITE_P(, StripKernelsOnEveryVariant, kEveryVariant);

}  // namespace
}  // namespace mcvol
