#pragma once

#include <cstdint>

#include "variant.h"

namespace mcvol {

/// Voxels at a time.
inline constexpr std::int64_t kRegionChunk = 256;

/// Loops over the numbers of a chunk's voxels, kRegionChunk of each.
struct RegionLoops {
  /// The larger of both; where `row` is NaN, `largest` stays.
  void (*larger)(const float* row, float* largest);
  /// Infinities and NaN become 0.
  void (*without_infinities)(float* largest);
  /// exp(row - largest).
  void (*exponentials)(const float* row, const float* largest, float* result);
  void (*add)(const float* terms, float* sums);
  void (*add_exponentials)(const float* row, const float* largest, float* sums);
  /// Of two log-sum-exps, each as the largest and the sum of what is left.
  void (*differences)(const float* most_inside, const float* inside, const float* most_outside,
                      const float* outside, float* logits);
  /// log(inside / outside); strange, which is NaN, where a float has not kept all bits of it.
  void (*log_ratios)(const float* inside, const float* outside, float* logits);
  bool (*has_strange)(const float* logits);
  /// Takes the careful ones for those that are strange.
  void (*put_for_strange)(const float* careful, float* logits);
};

MCVOL_DECLARE_KERNELS(RegionLoops, kRegionLoops)

}  // namespace mcvol
