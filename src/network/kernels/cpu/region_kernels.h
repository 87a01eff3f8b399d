#pragma once

#include <cstdint>
#include <span>

namespace mcvol {

/// Logits of regions under softmax, on a CPU: log-sum-exp over a region's channels less that over
/// the others. NaN where a channel is.
/// @param values channel c of voxel n at n * voxel_stride + c * channel_stride.
/// @param regions the channels of each, as bits.
/// @param logits [regions, count]; region r from r * logit_stride on.
void softmax_region_logits(const float* values, std::int64_t count, std::int64_t voxel_stride,
                           std::int64_t channel_stride, int channels,
                           std::span<const std::uint32_t> regions, float* logits,
                           std::int64_t logit_stride);

}  // namespace mcvol
