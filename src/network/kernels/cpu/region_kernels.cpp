#include "region_kernels.h"

#include "mcvol/volumetry/vectorised.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

namespace mcvol {
namespace {

constexpr std::int64_t kChunk = 256;
constexpr int kMostChannels = 32;
using Row = std::array<float, kChunk>;

constexpr float kLog2 = 0.693147180559945309F;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// exp(x) for x <= 0, and for infinity; 0 below -87. x = n log 2 + r, |r| <= log 2 / 2, and exp(r)
/// by its series.
inline float exponential(float x) {
  constexpr float kRound = 0x1.8p23F;  // adding it leaves no bits below 1
  constexpr float kLog2High = 0x1.62e4p-1F;
  constexpr float kLog2Low = static_cast<float>(0.693147180559945309417 - 0x1.62e4p-1);
  constexpr float kLeast = -87.0F;
  const float clamped = x > kLeast && x < kInfinity ? x : kLeast;
  const float shifted = clamped / kLog2 + kRound;
  const float n = shifted - kRound;
  const float r = (clamped - n * kLog2High) - n * kLog2Low;
  const float series =
      1.0F +
      r * (1.0F +
           r * (1.0F / 2 +
                r * (1.0F / 6 + r * (1.0F / 24 + r * (1.0F / 120 + r * (1.0F / 720 + r / 5040))))));
  const auto exponent = static_cast<std::int32_t>(n) + 127;
  const float power = std::bit_cast<float>(exponent << 23);
  const float result = series * power;
  return x < kLeast ? 0.0F : (x < kInfinity ? result : x);
}

/// log(x) for x >= 1, infinity among them, and -infinity at 0. x = 2^n m, m within sqrt 2 of 1, and
/// log(m) = 2 atanh((m - 1) / (m + 1)) by its series.
inline float log_of(float x) {
  constexpr std::uint32_t kRootHalf = 0x3F3504F3u;  // bits of sqrt(1/2)
  const auto bits = std::bit_cast<std::uint32_t>(x);
  const std::uint32_t above = bits - kRootHalf;
  const auto n = static_cast<float>(static_cast<std::int32_t>(above) >> 23);
  const float m = std::bit_cast<float>((above & 0x007FFFFFu) + kRootHalf);
  const float s = (m - 1.0F) / (m + 1.0F);
  const float q = s * s;
  const float series = q * (1.0F / 3 + q * (1.0F / 5 + q * (1.0F / 7 + q / 9)));
  const float log_m = 2.0F * (s + s * series);
  const float result = n * kLog2 + log_m;
  return x == 0.0F ? -kInfinity : (x < kInfinity ? result : x);
}

MCVOL_VECTORISED
void larger(const float* row, float* largest) {
  // NaN compares as not larger: it is found again among the exponentials.
  for (std::int64_t n = 0; n < kChunk; ++n) {
    largest[n] = row[n] > largest[n] ? row[n] : largest[n];
  }
}

MCVOL_VECTORISED
void without_infinities(float* largest) {
  for (std::int64_t n = 0; n < kChunk; ++n) {
    largest[n] = largest[n] > -kInfinity && largest[n] < kInfinity ? largest[n] : 0.0F;
  }
}

MCVOL_VECTORISED
void add_exponentials(const float* row, const float* largest, float* sums) {
  for (std::int64_t n = 0; n < kChunk; ++n) sums[n] += exponential(row[n] - largest[n]);
}

MCVOL_VECTORISED
void differences(const float* most_inside, const float* inside, const float* most_outside,
                 const float* outside, float* logits) {
  for (std::int64_t n = 0; n < kChunk; ++n) {
    logits[n] = (most_inside[n] - most_outside[n]) + (log_of(inside[n]) - log_of(outside[n]));
  }
}

/// Sums of exponentials within this much of the largest channel: a float keeps them with all their
/// bits.
constexpr float kFar = 60.0F;

constexpr float kStrange = std::numeric_limits<float>::quiet_NaN();

/// kStrange where it is beyond `kFar` or no number.
MCVOL_VECTORISED
void log_ratios(const float* inside, const float* outside, float* logits) {
  for (std::int64_t n = 0; n < kChunk; ++n) {
    // Exponentials are at least 0 and their largest is 1: the logarithm is of numbers from 1 on.
    const float upper = inside[n] > outside[n] ? inside[n] : outside[n];
    const float lower = inside[n] > outside[n] ? outside[n] : inside[n];
    const float distance = log_of(upper / lower);
    const float logit = inside[n] > outside[n] ? distance : -distance;
    logits[n] = distance < kFar ? logit : kStrange;
  }
}

MCVOL_VECTORISED
bool has_strange(const float* logits) {
  int strange = 0;
  for (std::int64_t n = 0; n < kChunk; ++n) strange += logits[n] != logits[n];
  return strange > 0;
}

MCVOL_VECTORISED
void put_for_strange(const float* careful, float* logits) {
  for (std::int64_t n = 0; n < kChunk; ++n) {
    logits[n] = logits[n] == logits[n] ? logits[n] : careful[n];
  }
}

MCVOL_VECTORISED
void exponentials(const float* row, const float* largest, float* result) {
  for (std::int64_t n = 0; n < kChunk; ++n) result[n] = exponential(row[n] - largest[n]);
}

MCVOL_VECTORISED
void add(const float* terms, float* sums) {
  for (std::int64_t n = 0; n < kChunk; ++n) sums[n] += terms[n];
}

/// Log-sum-exp over some channels as largest + log(sum).
struct LogSum {
  Row largest, sum;

  void over(std::span<const Row> rows, std::uint32_t channels) {
    largest.fill(-kInfinity);
    sum.fill(0.0F);
    for (std::size_t channel = 0; channel < rows.size(); ++channel) {
      if ((channels >> channel & 1u) != 0) larger(rows[channel].data(), largest.data());
    }
    without_infinities(largest.data());
    for (std::size_t channel = 0; channel < rows.size(); ++channel) {
      if ((channels >> channel & 1u) == 0) continue;
      add_exponentials(rows[channel].data(), largest.data(), sum.data());
    }
  }
};

/// Exponentials of a chunk, each channel's once for all regions.
class SharedExponentials {
 public:
  explicit SharedExponentials(std::span<const Row> rows) : channels_(rows.size()) {
    Row largest;
    largest.fill(-kInfinity);
    for (const Row& row : rows) larger(row.data(), largest.data());
    without_infinities(largest.data());
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      exponentials(rows[channel].data(), largest.data(), exponentials_[channel].data());
    }
  }

  /// Strange where a region or the rest is far below the other.
  void logits(std::uint32_t region, Row& result) const {
    Row inside, outside;
    inside.fill(0.0F);
    outside.fill(0.0F);
    for (std::size_t channel = 0; channel < channels_; ++channel) {
      Row& side = (region >> channel & 1u) != 0 ? inside : outside;
      add(exponentials_[channel].data(), side.data());
    }
    log_ratios(inside.data(), outside.data(), result.data());
  }

 private:
  std::size_t channels_;
  std::array<Row, kMostChannels> exponentials_;
};

}  // namespace

void softmax_region_logits(const float* values, std::int64_t count, std::int64_t voxel_stride,
                           std::int64_t channel_stride, int channels,
                           std::span<const std::uint32_t> regions, float* logits,
                           std::int64_t logit_stride) {
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
    const SharedExponentials shared(of_channels);
    for (std::size_t region = 0; region < regions.size(); ++region) {
      shared.logits(regions[region], differing);
      if (has_strange(differing.data())) {
        inside.over(of_channels, regions[region]);
        outside.over(of_channels, all & ~regions[region]);
        differences(inside.largest.data(), inside.sum.data(), outside.largest.data(),
                    outside.sum.data(), careful.data());
        put_for_strange(careful.data(), differing.data());
      }
      std::copy_n(differing.begin(), length,
                  logits + static_cast<std::int64_t>(region) * logit_stride + begin);
    }
  }
}

}  // namespace mcvol
