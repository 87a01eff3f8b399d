#include "strip_kernels.h"

#include <algorithm>

#include "channel_kernels.h"
#include "processor.h"
#include "strip_variant.h"

namespace mcvol {
namespace {

/// Rows that follow one another, of which there may be none.
const float* floats_of(const Strip* rows) { return rows == nullptr ? nullptr : rows->data(); }
float* floats_of(Strip* rows) { return rows == nullptr ? nullptr : rows->data(); }

/// Some voxels of all outputs, then the next: their input stays in the nearest cache.
/// @param all those of all groups, their first output's first.
void make_groups(const StripGroup& all, std::size_t outputs, std::size_t voxels) {
  const StripKernels& kernels = MCVOL_KERNELS_IN_USE(kStripKernels);
  StripGroup group = all;
  for (group.voxel = 0; group.voxel < voxels; group.voxel += kernels.voxels) {
    for (std::size_t begin = 0; begin < outputs; begin += kStripGroup) {
      group.weights = all.weights + begin * all.offset_count;
      group.result = all.result + begin * kStripVoxels;
      if (all.bias != nullptr) group.bias = all.bias + begin;
      if (all.slope != nullptr) group.slope = all.slope + begin;
      if (all.addend_rows != nullptr) group.addend_rows = all.addend_rows + begin;
      kernels.make_group(group, std::min(kStripGroup, outputs - begin));
    }
  }
}

}  // namespace

StripConvolution::StripConvolution(std::span<const float> weights,
                                   std::span<const std::int32_t> inputs,
                                   std::span<const std::int32_t> outputs, std::int64_t all_inputs,
                                   float factor, std::span<const float> bias,
                                   std::span<const float> slope)
    : kept_outputs_(outputs.begin(), outputs.end()) {
  for (const std::int32_t input : inputs) {
    consecutive_.push_back(static_cast<std::int64_t>(consecutive_.size()) * kStripVoxels);
    kept_inputs_.push_back(input * kStripVoxels);
  }
  for (const std::int32_t output : outputs) {
    const auto at = static_cast<std::size_t>(output);
    bias_.push_back(bias.empty() ? 0.0F : bias[at]);
    if (!slope.empty()) slope_.push_back(slope[slope.size() == 1 ? 0 : at]);
  }
  weights_ = packed_weights(outputs.size(), inputs.size(), [&](std::size_t m, std::size_t n) {
    return weights[static_cast<std::size_t>(outputs[m] * all_inputs + inputs[n])] * factor;
  });
}

void StripConvolution::run(const Strip* input, bool all_rows, const Strip* addend,
                           Strip* result) const {
  const StripGroup group{.input = floats_of(input),
                         .offsets = (all_rows ? kept_inputs_ : consecutive_).data(),
                         .offset_count = consecutive_.size(),
                         .weights = weights_.data(),
                         .bias = bias_.data(),
                         .slope = slope_.empty() ? nullptr : slope_.data(),
                         .addend = floats_of(addend),
                         .addend_rows = kept_outputs_.data(),
                         .result = floats_of(result),
                         .voxel = 0};
  make_groups(group, bias_.size(), kStripVoxels);
}

void strip_sums(std::span<const float> weights, std::span<const float> bias,
                std::span<const std::int64_t> offsets, const float* input, std::int64_t voxels,
                std::span<Strip> result) {
  const StripGroup group{.input = input,
                         .offsets = offsets.data(),
                         .offset_count = offsets.size(),
                         .weights = weights.data(),
                         .bias = bias.empty() ? nullptr : bias.data(),
                         .slope = nullptr,
                         .addend = nullptr,
                         .addend_rows = nullptr,
                         .result = floats_of(result.data()),
                         .voxel = 0};
  make_groups(group, result.size(), static_cast<std::size_t>(voxels));
}

template <typename T>
void gather_strips(const T* values, std::span<const std::int64_t> positions,
                   std::int64_t voxel_stride, std::int64_t channel_stride, std::int64_t channels,
                   std::vector<Strip>& strips) {
  const auto count = static_cast<std::int64_t>(positions.size());
  const std::int64_t strip_count = (count + kStripVoxels - 1) / kStripVoxels;
  strips.resize(static_cast<std::size_t>(strip_count * channels));
  for (std::int64_t strip = 0; strip < strip_count; ++strip) {
    Strip* const rows = strips.data() + strip * channels;
    const std::int64_t begin = strip * kStripVoxels;
    const std::int64_t length = std::min(kStripVoxels, count - begin);
    std::array<const T*, kStripVoxels> voxels;
    for (std::int64_t n = 0; n < length; ++n) {
      voxels[static_cast<std::size_t>(n)] =
          values + positions[static_cast<std::size_t>(begin + n)] * voxel_stride;
    }
    for (std::int64_t channel = 0; channel < channels; ++channel) {
      Strip& row = rows[channel];
      for (std::int64_t n = 0; n < length; ++n) {
        const auto at = static_cast<std::size_t>(n);
        row[at] = to_float(voxels[at][channel * channel_stride]);
      }
      std::fill(row.begin() + length, row.end(), 0.0F);
    }
  }
}

template void gather_strips(const float*, std::span<const std::int64_t>, std::int64_t, std::int64_t,
                            std::int64_t, std::vector<Strip>&);
template void gather_strips(const Bfloat16*, std::span<const std::int64_t>, std::int64_t,
                            std::int64_t, std::int64_t, std::vector<Strip>&);

}  // namespace mcvol
