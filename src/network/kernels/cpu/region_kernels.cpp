#include "region_kernels.h"

#include <algorithm>
#include <array>
#include <limits>

#include "processor.h"
#include "region_variant.h"

namespace mcvol {
namespace {

constexpr std::int64_t kChunk = kRegionChunk;
constexpr int kMostChannels = 32;
using Row = std::array<float, kChunk>;

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Log-sum-exp over some channels as largest + log(sum).
struct LogSum {
  Row largest, sum;

  void over(const RegionLoops& loops, std::span<const Row> rows, std::uint32_t channels) {
    largest.fill(-kInfinity);
    sum.fill(0.0F);
    for (std::size_t channel = 0; channel < rows.size(); ++channel) {
      if ((channels >> channel & 1u) != 0) loops.larger(rows[channel].data(), largest.data());
    }
    loops.without_infinities(largest.data());
    for (std::size_t channel = 0; channel < rows.size(); ++channel) {
      if ((channels >> channel & 1u) == 0) continue;
      loops.add_exponentials(rows[channel].data(), largest.data(), sum.data());
    }
  }
};

/// Exponentials of a chunk, each channel's once for all regions.
class SharedExponentials {
 public:
  SharedExponentials(const RegionLoops& loops, std::span<const Row> rows)
      : loops_(loops), channels_(rows.size()) {
    Row largest;
    largest.fill(-kInfinity);
    for (const Row& row : rows) loops.larger(row.data(), largest.data());
    loops.without_infinities(largest.data());
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      loops.exponentials(rows[channel].data(), largest.data(), exponentials_[channel].data());
    }
  }

  /// Strange where a region or the rest is far below the other.
  void logits(std::uint32_t region, Row& result) const {
    Row inside, outside;
    inside.fill(0.0F);
    outside.fill(0.0F);
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      Row& side = (region >> channel & 1u) != 0 ? inside : outside;
      loops_.add(exponentials_[channel].data(), side.data());
    }
    loops_.log_ratios(inside.data(), outside.data(), result.data());
  }

 private:
  const RegionLoops& loops_;
  std::size_t channels_;
  std::array<Row, kMostChannels> exponentials_;
};

}  // namespace

void softmax_region_logits(const float* values, std::int64_t count, std::int64_t voxel_stride,
                           std::int64_t channel_stride, int channels,
                           std::span<const std::uint32_t> regions, float* logits,
                           std::int64_t logit_stride) {
  const RegionLoops& loops = MCVOL_KERNELS_IN_USE(kRegionLoops);
  std::array<Row, kMostChannels> rows;
  const auto all = static_cast<std::uint32_t>((std::uint64_t{1} << channels) - 1);
  LogSum inside, outside;
  Row differing, careful;
  for (std::int64_t begin = 0; begin < count; begin += kChunk) {
    const std::int64_t length = std::min(kChunk, count - begin);
    for (int channel = 0; channel < channels; ++channel) {
      const float* from = values + begin * voxel_stride + channel * channel_stride;
      Row& row = rows[static_cast<std::size_t>(channel)];
      for (std::int64_t n = 0; n < length; ++n) {
        row[static_cast<std::size_t>(n)] = from[n * voxel_stride];
      }
      std::fill(row.begin() + length, row.end(), 0.0F);
    }
    const std::span<const Row> of_channels(rows.data(), static_cast<std::size_t>(channels));
    const SharedExponentials shared(loops, of_channels);
    for (std::size_t region = 0; region < regions.size(); ++region) {
      shared.logits(regions[region], differing);
      if (loops.has_strange(differing.data())) {
        inside.over(loops, of_channels, regions[region]);
        outside.over(loops, of_channels, all & ~regions[region]);
        loops.differences(inside.largest.data(), inside.sum.data(), outside.largest.data(),
                          outside.sum.data(), careful.data());
        loops.put_for_strange(careful.data(), differing.data());
      }
      std::copy_n(differing.begin(), length,
                  logits + static_cast<std::int64_t>(region) * logit_stride + begin);
    }
  }
}

}  // namespace mcvol
