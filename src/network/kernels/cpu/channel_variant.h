#pragma once

#include <cstdint>

#include "variant.h"

namespace mcvol {

/// Loops over [voxels, channels]. What is written may be what is read, element by element.
struct ChannelLoops {
  /// From bfloat16 and to it: to the nearest, ties to even; NaN stays NaN.
  void (*from_bfloat16)(const std::uint16_t* from, float* to, std::int64_t count);
  void (*to_bfloat16)(const float* from, std::uint16_t* to, std::int64_t count);
  void (*add)(const float* from, const float* terms, float* to, std::int64_t count);
  void (*multiply)(const float* from, const float* factors, float* to, std::int64_t count);
  void (*scale_and_shift)(const float* from, const float* scale, const float* shift, float* to,
                          std::int64_t count);
  /// Below 0 times the slope.
  void (*bend)(const float* from, const float* slope, float* to, std::int64_t count);
  /// Adds to sums and to sums of squares.
  void (*add_deviations)(const float* values, const float* pivot, float* sums, float* squares,
                         std::int64_t count);
};

MCVOL_DECLARE_KERNELS(ChannelLoops, kChannelLoops)

}  // namespace mcvol
