#include "channel_variant.h"

namespace mcvol::MCVOL_VARIANT {
namespace {

void from_bfloat16(const std::uint16_t* from, float* to, std::int64_t count) {
  for (std::int64_t n = 0; n < count; ++n) {
    to[n] = __builtin_bit_cast(float, std::uint32_t{from[n]} << 16);
  }
}

void to_bfloat16(const float* from, std::uint16_t* to, std::int64_t count) {
  for (std::int64_t n = 0; n < count; ++n) {
    const auto bits = __builtin_bit_cast(std::uint32_t, from[n]);
    const std::uint32_t rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
    const bool is_nan = (bits & 0x7FFFFFFFu) > 0x7F800000u;
    to[n] = static_cast<std::uint16_t>(is_nan ? 0x7FC0u : rounded);
  }
}

void add(const float* from, const float* terms, float* to, std::int64_t count) {
  for (std::int64_t n = 0; n < count; ++n) to[n] = from[n] + terms[n];
}

void multiply(const float* from, const float* factors, float* to, std::int64_t count) {
  for (std::int64_t n = 0; n < count; ++n) to[n] = from[n] * factors[n];
}

void scale_and_shift(const float* from, const float* scale, const float* shift, float* to,
                     std::int64_t count) {
  for (std::int64_t n = 0; n < count; ++n) to[n] = from[n] * scale[n] + shift[n];
}

void bend(const float* from, const float* slope, float* to, std::int64_t count) {
  for (std::int64_t n = 0; n < count; ++n) {
    const float bent = from[n] * slope[n];
    to[n] = from[n] > 0.0F ? from[n] : bent;
  }
}

void add_deviations(const float* values, const float* pivot, float* sums, float* squares,
                    std::int64_t count) {
  for (std::int64_t n = 0; n < count; ++n) {
    const float deviation = values[n] - pivot[n];
    sums[n] += deviation;
    squares[n] += deviation * deviation;
  }
}

}  // namespace

constinit const ChannelLoops kChannelLoops = {.from_bfloat16 = from_bfloat16,
                                              .to_bfloat16 = to_bfloat16,
                                              .add = add,
                                              .multiply = multiply,
                                              .scale_and_shift = scale_and_shift,
                                              .bend = bend,
                                              .add_deviations = add_deviations};

}  // namespace mcvol::MCVOL_VARIANT
