#include "strip_variant.h"

namespace mcvol::MCVOL_VARIANT {
namespace {

/// Vectors of voxels that share a weight.
constexpr int kVectors = 3;

/// Outputs at a time: as many as there are registers for, beside those of the input.
constexpr int kMost = kVectorRegisters / (kVectors + 1);

constexpr std::size_t kWidth = kVectorFloats;
constexpr std::size_t kVoxels = kVectors * kWidth;
static_assert(kStripVoxels % kVoxels == 0);

typedef float Vector __attribute__((vector_size(kWidth * sizeof(float))));
/// In memory: at any float, as part of an array of them.
typedef float InMemory
    __attribute__((vector_size(kWidth * sizeof(float)), aligned(alignof(float)), may_alias));

/// For the `Outputs` outputs from `first` on.
template <int Outputs>
[[gnu::always_inline]] inline void make_outputs(const StripGroup& group, std::size_t first) {
  // Copied with std::memcpy or in loops that stay loops, sums would go through memory.
  Vector sums[Outputs][kVectors];
#pragma GCC unroll 8
  for (std::size_t m = 0; m < Outputs; ++m) {
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kVectors; ++v) {
      sums[m][v] = Vector{};
      if (group.bias != nullptr) sums[m][v] += group.bias[first + m];
      if (group.addend != nullptr) {
        const float* const row =
            group.addend + group.addend_rows[first + m] * kStripVoxels + group.voxel;
        sums[m][v] += *reinterpret_cast<const InMemory*>(row + v * kWidth);
      }
    }
  }
  const float* weights = group.weights + first;
  const std::int64_t* const end = group.offsets + group.offset_count;
  for (const std::int64_t* offset = group.offsets; offset != end; ++offset) {
    const float* const row = group.input + *offset + group.voxel;
    Vector values[kVectors];
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kVectors; ++v) {
      values[v] = *reinterpret_cast<const InMemory*>(row + v * kWidth);
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
    float* const target = group.result + (first + m) * kStripVoxels + group.voxel;
#pragma GCC unroll 8
    for (std::size_t v = 0; v < kVectors; ++v) {
      Vector value = sums[m][v];
      if (group.slope != nullptr) value = value > 0.0F ? value : value * group.slope[first + m];
      *reinterpret_cast<InMemory*>(target + v * kWidth) = value;
    }
  }
}

/// Those that are left: fewer than kMost, and at most `Outputs`.
template <int Outputs>
[[gnu::always_inline]] inline void make_rest(const StripGroup& group, std::size_t first,
                                             std::size_t count) {
  if constexpr (Outputs > 0) {
    if (count == Outputs) {
      make_outputs<Outputs>(group, first);
    } else {
      make_rest<Outputs - 1>(group, first, count);
    }
  }
}

void make_group(const StripGroup& given, std::size_t outputs) {
  // A copy, which what is written cannot change: its numbers stay in registers.
  const StripGroup group = given;
  std::size_t first = 0;
  for (; first + kMost <= outputs; first += kMost) make_outputs<kMost>(group, first);
  make_rest<kMost - 1>(group, first, outputs - first);
}

}  // namespace

constinit const StripKernels kStripKernels = {.make_group = make_group, .voxels = kVoxels};

}  // namespace mcvol::MCVOL_VARIANT
