#include "strip_kernels.h"

#include <algorithm>
#include <cstring>

#include "channel_kernels.h"
#include "processor.h"

namespace mcvol {
namespace {

/// Vectors of voxels that share a weight.
constexpr int kVectors = 3;

template <int Width>
struct VectorOf {
  typedef float Type __attribute__((vector_size(Width * sizeof(float))));
  /// In memory: at any float, as part of an array of them.
  typedef float InMemory
      __attribute__((vector_size(Width * sizeof(float)), aligned(alignof(float)), may_alias));
};

/// The numbers of a group of outputs that stand in a row in the packed weights.
struct Group {
  const float* input;
  std::span<const std::int64_t> offsets;  ///< into the input, one for each weight of an output
  const float* weights;                   ///< [offsets, kStripGroup]
  const float* bias;                      ///< [kStripGroup] or none
  const float* slope;                     ///< [kStripGroup] or none
  const StripRow* addend;                 ///< or none
  const std::int32_t* addend_rows;        ///< [kStripGroup]
  StripRow* result;                       ///< [kStripGroup]
  std::size_t voxel;                      ///< the first of kVectors vectors
};

/// For the `Outputs` outputs from `first` on.
template <int Width, int Outputs>
[[gnu::always_inline]] inline void make_outputs(const Group& group, std::size_t first) {
  using Vector = typename VectorOf<Width>::Type;
  using InMemory = typename VectorOf<Width>::InMemory;
  // Copied with std::memcpy or in loops that stay loops, sums would go through memory.
  Vector sums[Outputs][kVectors];
#pragma GCC unroll 8
  for (std::size_t m = 0; m < Outputs; ++m) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kVectors; ++v) {
      sums[m][v] = Vector{};
      if (group.bias != nullptr) sums[m][v] += group.bias[first + m];
      if (group.addend != nullptr) {
        const float* const row = group.addend[group.addend_rows[first + m]].data() + group.voxel;
        sums[m][v] += *reinterpret_cast<const InMemory*>(row + v * Width);
      }
    }
  }
  const float* weights = group.weights + first;
  for (const std::int64_t offset : group.offsets) {
    const float* const row = group.input + offset + group.voxel;
    Vector values[kVectors];
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kVectors; ++v) {
      values[v] = *reinterpret_cast<const InMemory*>(row + v * Width);
    }
#pragma GCC unroll 8
    for (std::size_t m = 0; m < Outputs; ++m) {
#pragma GCC unroll 8
      for (std::size_t v = 0; v < kVectors; ++v) sums[m][v] += values[v] * weights[m];
    }
    weights += kStripGroup;
  }
#pragma GCC unroll 8
  for (std::size_t m = 0; m < Outputs; ++m) {
    float* const target = group.result[first + m].data() + group.voxel;
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kVectors; ++v) {
      Vector value = sums[m][v];
      if (group.slope != nullptr) value = value > 0.0F ? value : value * group.slope[first + m];
      *reinterpret_cast<InMemory*>(target + v * Width) = value;
    }
  }
}

/// As many at a time as there are registers for.
template <int Width, int Most>
[[gnu::always_inline]] inline void make_group(const Group& group, std::size_t outputs) {
  std::size_t first = 0;
  for (; first + Most <= outputs; first += Most) make_outputs<Width, Most>(group, first);
  switch (outputs - first) {
    case 7:
      if constexpr (Most > 7) make_outputs<Width, 7>(group, first);
      break;
    case 6:
      if constexpr (Most > 6) make_outputs<Width, 6>(group, first);
      break;
    case 5:
      if constexpr (Most > 5) make_outputs<Width, 5>(group, first);
      break;
    case 4:
      if constexpr (Most > 4) make_outputs<Width, 4>(group, first);
      break;
    case 3:
      make_outputs<Width, 3>(group, first);
      break;
    case 2:
      make_outputs<Width, 2>(group, first);
      break;
    case 1:
      make_outputs<Width, 1>(group, first);
      break;
    default:
      break;
  }
}

/// Makes the sums of a group for kVectors vectors of voxels.
struct Kernel {
  void (*make_group)(const Group&, std::size_t outputs);
  std::size_t voxels;  ///< in kVectors vectors
};

template <int Width>
constexpr std::size_t kVoxels = static_cast<std::size_t>(kVectors) * Width;
static_assert(kStripVoxels % kVoxels<16> == 0 && kStripVoxels % kVoxels<8> == 0);

void make_group_plain(const Group& group, std::size_t outputs) { make_group<4, 4>(group, outputs); }
constexpr Kernel kPlain = {make_group_plain, kVoxels<4>};

#if defined(__x86_64__) && defined(__GNUC__)
[[gnu::target("arch=x86-64-v3")]] void make_group_v3(const Group& group, std::size_t outputs) {
  make_group<8, 4>(group, outputs);
}

[[gnu::target("arch=x86-64-v4")]] void make_group_v4(const Group& group, std::size_t outputs) {
  make_group<16, 8>(group, outputs);
}

const Kernel kKernel = kernel_of_processor(kPlain, Kernel{make_group_v3, kVoxels<8>},
                                           Kernel{make_group_v4, kVoxels<16>});
#else
constexpr Kernel kKernel = kPlain;
#endif

/// Some voxels of all outputs, then the next: their input stays in the nearest cache.
/// @param all those of all groups, their first output's first.
void make_groups(const Group& all, std::size_t outputs, std::size_t voxels) {
  Group group = all;
  for (group.voxel = 0; group.voxel < voxels; group.voxel += kKernel.voxels) {
    for (std::size_t begin = 0; begin < outputs; begin += kStripGroup) {
      group.weights = all.weights + begin * all.offsets.size();
      group.result = all.result + begin;
      if (all.bias != nullptr) group.bias = all.bias + begin;
      if (all.slope != nullptr) group.slope = all.slope + begin;
      if (all.addend_rows != nullptr) group.addend_rows = all.addend_rows + begin;
      kKernel.make_group(group, std::min(kStripGroup, outputs - begin));
    }
  }
}

}  // namespace

StripLayer::StripLayer(std::span<const float> weights, std::span<const std::int32_t> inputs,
                       std::span<const std::int32_t> outputs, std::int64_t all_inputs, float factor,
                       std::span<const float> bias, std::span<const float> slope)
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

void StripLayer::run(const StripRow* input, bool all_rows, const StripRow* addend,
                     StripRow* result) const {
  const Group group{.input = input->data(),
                    .offsets = all_rows ? kept_inputs_ : consecutive_,
                    .weights = weights_.data(),
                    .bias = bias_.data(),
                    .slope = slope_.empty() ? nullptr : slope_.data(),
                    .addend = addend,
                    .addend_rows = kept_outputs_.data(),
                    .result = result,
                    .voxel = 0};
  make_groups(group, bias_.size(), kStripVoxels);
}

void strip_sums(std::span<const float> weights, std::span<const float> bias,
                std::span<const std::int64_t> offsets, const float* input, std::int64_t voxels,
                std::span<StripRow> result) {
  const Group group{.input = input,
                    .offsets = offsets,
                    .weights = weights.data(),
                    .bias = bias.empty() ? nullptr : bias.data(),
                    .slope = nullptr,
                    .addend = nullptr,
                    .addend_rows = nullptr,
                    .result = result.data(),
                    .voxel = 0};
  make_groups(group, result.size(), static_cast<std::size_t>(voxels));
}

template <typename T>
void gather_strips(const T* values, std::span<const std::int64_t> positions,
                   std::int64_t voxel_stride, std::int64_t channel_stride, std::int64_t channels,
                   std::vector<StripRow>& strips) {
  const auto count = static_cast<std::int64_t>(positions.size());
  const std::int64_t strip_count = (count + kStripVoxels - 1) / kStripVoxels;
  strips.resize(static_cast<std::size_t>(strip_count * channels));
  for (std::int64_t strip = 0; strip < strip_count; ++strip) {
    StripRow* const rows = strips.data() + strip * channels;
    const std::int64_t begin = strip * kStripVoxels;
    const std::int64_t length = std::min(kStripVoxels, count - begin);
    std::array<const T*, kStripVoxels> voxels;
    for (std::int64_t n = 0; n < length; ++n) {
      voxels[static_cast<std::size_t>(n)] =
          values + positions[static_cast<std::size_t>(begin + n)] * voxel_stride;
    }
    for (std::int64_t channel = 0; channel < channels; ++channel) {
      StripRow& row = rows[channel];
      for (std::int64_t n = 0; n < length; ++n) {
        const auto at = static_cast<std::size_t>(n);
        row[at] = to_float(voxels[at][channel * channel_stride]);
      }
      std::fill(row.begin() + length, row.end(), 0.0F);
    }
  }
}

template void gather_strips(const float*, std::span<const std::int64_t>, std::int64_t, std::int64_t,
                            std::int64_t, std::vector<StripRow>&);
template void gather_strips(const Bfloat16*, std::span<const std::int64_t>, std::int64_t,
                            std::int64_t, std::int64_t, std::vector<StripRow>&);

}  // namespace mcvol
