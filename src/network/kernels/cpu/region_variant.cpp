#include "region_variant.h"

#include <limits>

namespace mcvol::MCVOL_VARIANT {
namespace {

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
  const float power = __builtin_bit_cast(float, exponent << 23);
  const float result = series * power;
  return x < kLeast ? 0.0F : (x < kInfinity ? result : x);
}

/// log(x) for x >= 1, infinity among them, and -infinity at 0. x = 2^n m, m within sqrt 2 of 1, and
/// log(m) = 2 atanh((m - 1) / (m + 1)) by its series.
inline float log_of(float x) {
  constexpr std::uint32_t kRootHalf = 0x3F3504F3u;  // bits of sqrt(1/2)
  const auto bits = __builtin_bit_cast(std::uint32_t, x);
  const std::uint32_t above = bits - kRootHalf;
  const auto n = static_cast<float>(static_cast<std::int32_t>(above) >> 23);
  const float m = __builtin_bit_cast(float, (above & 0x007FFFFFu) + kRootHalf);
  const float s = (m - 1.0F) / (m + 1.0F);
  const float q = s * s;
  const float series = q * (1.0F / 3 + q * (1.0F / 5 + q * (1.0F / 7 + q / 9)));
  const float log_m = 2.0F * (s + s * series);
  const float result = n * kLog2 + log_m;
  return x == 0.0F ? -kInfinity : (x < kInfinity ? result : x);
}

void larger(const float* row, float* largest) {
  // NaN compares as not larger: it is found again among the exponentials.
  for (std::int64_t n = 0; n < kRegionChunk; ++n) {
    largest[n] = row[n] > largest[n] ? row[n] : largest[n];
  }
}

void without_infinities(float* largest) {
  for (std::int64_t n = 0; n < kRegionChunk; ++n) {
    largest[n] = largest[n] > -kInfinity && largest[n] < kInfinity ? largest[n] : 0.0F;
  }
}

void add_exponentials(const float* row, const float* largest, float* sums) {
  for (std::int64_t n = 0; n < kRegionChunk; ++n) sums[n] += exponential(row[n] - largest[n]);
}

void differences(const float* most_inside, const float* inside, const float* most_outside,
                 const float* outside, float* logits) {
  for (std::int64_t n = 0; n < kRegionChunk; ++n) {
    logits[n] = (most_inside[n] - most_outside[n]) + (log_of(inside[n]) - log_of(outside[n]));
  }
}

/// Sums of exponentials within this much of the largest channel: a float keeps them with all their
/// bits.
constexpr float kFar = 60.0F;

constexpr float kStrange = std::numeric_limits<float>::quiet_NaN();

void log_ratios(const float* inside, const float* outside, float* logits) {
  for (std::int64_t n = 0; n < kRegionChunk; ++n) {
    // Exponentials are at least 0 and their largest is 1: the logarithm is of numbers from 1 on.
    const float upper = inside[n] > outside[n] ? inside[n] : outside[n];
    const float lower = inside[n] > outside[n] ? outside[n] : inside[n];
    const float distance = log_of(upper / lower);
    const float logit = inside[n] > outside[n] ? distance : -distance;
    logits[n] = distance < kFar ? logit : kStrange;
  }
}

bool has_strange(const float* logits) {
  int strange = 0;
  for (std::int64_t n = 0; n < kRegionChunk; ++n) strange += logits[n] != logits[n];
  return strange > 0;
}

void put_for_strange(const float* careful, float* logits) {
  for (std::int64_t n = 0; n < kRegionChunk; ++n) {
    logits[n] = logits[n] == logits[n] ? logits[n] : careful[n];
  }
}

void exponentials(const float* row, const float* largest, float* result) {
  for (std::int64_t n = 0; n < kRegionChunk; ++n) result[n] = exponential(row[n] - largest[n]);
}

void add(const float* terms, float* sums) {
  for (std::int64_t n = 0; n < kRegionChunk; ++n) sums[n] += terms[n];
}

}  // namespace

constinit const RegionLoops kRegionLoops = {.larger = larger,
                                            .without_infinities = without_infinities,
                                            .exponentials = exponentials,
                                            .add = add,
                                            .add_exponentials = add_exponentials,
                                            .differences = differences,
                                            .log_ratios = log_ratios,
                                            .has_strange = has_strange,
                                            .put_for_strange = put_for_strange};

}  // namespace mcvol::MCVOL_VARIANT
