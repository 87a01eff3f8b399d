#include "strip_kernels.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "channel_kernels.h"

namespace mcvol {
namespace {

/// Outputs whose sums are in registers together.
constexpr std::size_t kGroup = 8;
/// Vectors of voxels that share a weight.
constexpr int kVectors = 3;

template <int Width>
struct VectorOf {
  typedef float Type __attribute__((vector_size(Width * sizeof(float))));
};

/// The numbers of a group of outputs that stand in a row in the packed weights.
struct Group {
  const StripRow* input;
  std::span<const std::int32_t> rows;  ///< of the input, one for each weight of an output
  const float* weights;                ///< [rows, kGroup]
  const float* bias;                   ///< [kGroup]
  const float* slope;                  ///< [kGroup] or none
  const StripRow* addend;              ///< or none
  const std::int32_t* addend_rows;     ///< [kGroup]
  StripRow* result;                    ///< [kGroup]
};

/// For the `Outputs` outputs from `first` on.
template <int Width, int Outputs>
[[gnu::always_inline]] inline void make_outputs(const Group& group, std::size_t first) {
  using Vector = typename VectorOf<Width>::Type;
  const auto load = [](Vector & vector, const float* from) __attribute__((always_inline)) {
    std::memcpy(&vector, from, sizeof(Vector));
  };
  for (std::size_t voxel = 0; voxel < kStripVoxels; voxel += kVectors * Width) {
    Vector sums[Outputs][kVectors];
    for (std::size_t m = 0; m < Outputs; ++m) {
      for (std::size_t v = 0; v < kVectors; ++v) {
        sums[m][v] = Vector{};
        if (group.addend != nullptr) {
          load(sums[m][v], group.addend[group.addend_rows[first + m]].data() + voxel + v * Width);
        }
        sums[m][v] += group.bias[first + m];
      }
    }
    const float* weights = group.weights + first;
    for (const std::int32_t n : group.rows) {
      const float* row = group.input[n].data() + voxel;
      Vector values[kVectors];
      for (std::size_t v = 0; v < kVectors; ++v) load(values[v], row + v * Width);
      for (std::size_t m = 0; m < Outputs; ++m) {
        for (std::size_t v = 0; v < kVectors; ++v) sums[m][v] += values[v] * weights[m];
      }
      weights += kGroup;
    }
    for (std::size_t m = 0; m < Outputs; ++m) {
      float* const target = group.result[first + m].data() + voxel;
      for (std::size_t v = 0; v < kVectors; ++v) {
        Vector value = sums[m][v];
        if (group.slope != nullptr) value = value > 0.0F ? value : value * group.slope[first + m];
        std::memcpy(target + v * Width, &value, sizeof(Vector));
      }
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

using MakeGroup = void (*)(const Group&, std::size_t);

void make_group_plain(const Group& group, std::size_t outputs) { make_group<4, 4>(group, outputs); }

#if defined(__x86_64__) && defined(__GNUC__)
[[gnu::target("arch=x86-64-v3")]] void make_group_v3(const Group& group, std::size_t outputs) {
  make_group<8, 4>(group, outputs);
}

[[gnu::target("arch=x86-64-v4")]] void make_group_v4(const Group& group, std::size_t outputs) {
  make_group<16, 8>(group, outputs);
}

MakeGroup kernel_of_processor() {
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")) {
    return make_group_v4;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return make_group_v3;
  return make_group_plain;
}
#else
MakeGroup kernel_of_processor() { return make_group_plain; }
#endif

}  // namespace

StripLayer::StripLayer(std::span<const float> weights, std::span<const std::int32_t> inputs,
                       std::span<const std::int32_t> outputs, std::int64_t all_inputs, float factor,
                       std::span<const float> bias, std::span<const float> slope)
    : kept_inputs_(inputs.begin(), inputs.end()),
      consecutive_(inputs.size()),
      kept_outputs_(outputs.begin(), outputs.end()) {
  std::iota(consecutive_.begin(), consecutive_.end(), 0);
  for (const std::int32_t output : outputs) {
    const auto at = static_cast<std::size_t>(output);
    bias_.push_back(bias.empty() ? 0.0F : bias[at]);
    if (!slope.empty()) slope_.push_back(slope[slope.size() == 1 ? 0 : at]);
  }
  for (std::size_t begin = 0; begin < outputs.size(); begin += kGroup) {
    for (const std::int32_t input : inputs) {
      for (std::size_t m = begin; m < begin + kGroup; ++m) {
        const bool there = m < outputs.size();
        weights_.push_back(
            there ? weights[static_cast<std::size_t>(outputs[m] * all_inputs + input)] * factor
                  : 0.0F);
      }
    }
  }
}

void StripLayer::run(const StripRow* input, bool all_rows, const StripRow* addend,
                     StripRow* result) const {
  static const MakeGroup make_group = kernel_of_processor();
  const auto& rows = all_rows ? kept_inputs_ : consecutive_;
  for (std::size_t begin = 0; begin < bias_.size(); begin += kGroup) {
    const Group group{.input = input,
                      .rows = rows,
                      .weights = weights_.data() + begin * rows.size(),
                      .bias = bias_.data() + begin,
                      .slope = slope_.empty() ? nullptr : slope_.data() + begin,
                      .addend = addend,
                      .addend_rows = kept_outputs_.data() + begin,
                      .result = result + begin};
    make_group(group, std::min(kGroup, bias_.size() - begin));
  }
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
