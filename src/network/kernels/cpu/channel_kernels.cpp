#include "channel_kernels.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>

#include "channel_variant.h"
#include "processor.h"

namespace mcvol {
namespace {

constexpr std::int64_t kVector = 16;  // a power of two
/// Elements at a time; more where a voxel has more channels.
constexpr std::int64_t kPart = 4096;

/// Values in fp32: where they are, or in the buffer.
const float* widened(const ChannelLoops&, const float* from, float*, std::int64_t) { return from; }
const float* widened(const ChannelLoops& loops, const Bfloat16* from, float* buffer,
                     std::int64_t count) {
  loops.from_bfloat16(&from->bits, buffer, count);
  return buffer;
}

/// Where results go until all steps are done.
float* workplace(float* output, float*) { return output; }
float* workplace(Bfloat16*, float* buffer) { return buffer; }

void put(const ChannelLoops&, const float* from, float* to, std::int64_t count) {
  if (from != to) std::copy_n(from, count, to);
}
void put(const ChannelLoops& loops, const float* from, Bfloat16* to, std::int64_t count) {
  loops.to_bfloat16(from, &to->bits, count);
}

typedef std::uint32_t FourWords __attribute__((vector_size(16)));
/// In memory: at any word, as part of an array of them or of floats.
typedef std::uint32_t FourWordsInMemory
    __attribute__((vector_size(16), aligned(alignof(std::uint32_t)), may_alias));

/// Words of four channels and voxels -> factors of four voxels and channels.
/// @param stride between channels. @param channels the stride between voxels of the factors.
inline void factors_of_square(const std::uint32_t* words, std::int64_t stride,
                              const FourWords& threshold, const FourWords& kept_bits,
                              float* factors, std::int64_t channels) {
  FourWords rows[4];
#pragma GCC unroll 4
  for (int row = 0; row < 4; ++row) {
    const auto read = *reinterpret_cast<const FourWordsInMemory*>(words + row * stride);
    rows[row] = kept_bits & static_cast<FourWords>(read >= threshold);
  }
  const FourWords even_left = __builtin_shufflevector(rows[0], rows[1], 0, 4, 1, 5);
  const FourWords even_right = __builtin_shufflevector(rows[2], rows[3], 0, 4, 1, 5);
  const FourWords odd_left = __builtin_shufflevector(rows[0], rows[1], 2, 6, 3, 7);
  const FourWords odd_right = __builtin_shufflevector(rows[2], rows[3], 2, 6, 3, 7);
  const FourWords columns[4] = {__builtin_shufflevector(even_left, even_right, 0, 1, 4, 5),
                                __builtin_shufflevector(even_left, even_right, 2, 3, 6, 7),
                                __builtin_shufflevector(odd_left, odd_right, 0, 1, 4, 5),
                                __builtin_shufflevector(odd_left, odd_right, 2, 3, 6, 7)};
#pragma GCC unroll 4
  for (int column = 0; column < 4; ++column) {
    *reinterpret_cast<FourWordsInMemory*>(factors + column * channels) = columns[column];
  }
}

/// work(begin, length) for stretches that begin where tables do.
template <typename Work>
void for_each_period(std::int64_t count, std::int64_t period, const Work& work) {
  for (std::int64_t begin = 0; begin < count; begin += period) {
    work(begin, std::min(period, count - begin));
  }
}

}  // namespace

ChannelTable::ChannelTable(std::span<const float> values, std::int64_t channels)
    : values_(static_cast<std::size_t>(period(channels))) {
  for (std::size_t n = 0; n < values_.size(); ++n) {
    const std::size_t channel = n % static_cast<std::size_t>(channels);
    values_[n] = values[values.size() == 1 ? 0 : channel];
  }
}

std::int64_t ChannelTable::period(std::int64_t channels) {
  // Not std::lcm: inlined below, GCC 12 takes the wrong sign of its argument.
  const std::int64_t common = std::min(channels & -channels, kVector);
  const std::int64_t whole = channels / common * kVector;
  constexpr std::int64_t kLeast = 256;
  return (kLeast + whole - 1) / whole * whole;
}

std::int64_t voxels_at_a_time(std::int64_t channels) {
  const std::int64_t period = ChannelTable::period(channels);
  return std::max<std::int64_t>(1, kPart / period) * period / channels;
}

template <typename T>
void apply_steps(const T* input, T* output, std::int64_t count, std::int64_t channels,
                 const ChannelSteps<T>& steps) {
  const ChannelLoops& loops = MCVOL_KERNELS_IN_USE(kChannelLoops);
  thread_local std::vector<float> values, terms;
  values.resize(static_cast<std::size_t>(std::max(count, kPart)));
  terms.resize(values.size());
  const std::int64_t period = ChannelTable::period(channels);
  float* const to = workplace(output, values.data());
  const float* from = widened(loops, input, values.data(), count);
  const auto add_terms = [&](const T* of) {
    if (of == nullptr) return;
    loops.add(from, widened(loops, of, terms.data(), count), to, count);
    from = to;
  };
  const auto by_table = [&](const ChannelTable& table, const auto& kernel) {
    if (table.empty()) return;
    for_each_period(count, period, [&](std::int64_t begin, std::int64_t length) {
      kernel(from + begin, table.data(), to + begin, length);
    });
    from = to;
  };
  const auto by_element = [&](std::span<const float> factors) {
    if (factors.empty()) return;
    loops.multiply(from, factors.data(), to, count);
    from = to;
  };
  add_terms(steps.before);
  if (!steps.scale.empty()) {
    for_each_period(count, period, [&](std::int64_t begin, std::int64_t length) {
      loops.scale_and_shift(from + begin, steps.scale.data(), steps.shift.data(), to + begin,
                            length);
    });
    from = to;
  }
  by_element(steps.early_elements);
  by_table(steps.early, loops.multiply);
  by_table(steps.slope, loops.bend);
  by_element(steps.late_elements);
  by_table(steps.late, loops.multiply);
  add_terms(steps.after);
  put(loops, from, output, count);
}

void factors_of_words(std::span<const std::uint32_t> words, std::int64_t voxels,
                      std::int64_t channels, std::uint64_t threshold, float kept, float* factors) {
  if (threshold > std::numeric_limits<std::uint32_t>::max()) {
    std::fill_n(factors, voxels * channels, 0.0F);
    return;
  }
  const FourWords thresholds = FourWords{} + static_cast<std::uint32_t>(threshold);
  const FourWords kept_bits = FourWords{} + std::bit_cast<std::uint32_t>(kept);
  const std::int64_t whole_voxels = voxels / 4 * 4, whole_channels = channels / 4 * 4;
  const auto put_factor = [&](std::int64_t voxel, std::int64_t channel) {
    const std::uint32_t word = words[static_cast<std::size_t>(channel * voxels + voxel)];
    factors[voxel * channels + channel] = word >= threshold ? kept : 0.0F;
  };
  for (std::int64_t voxel = 0; voxel < whole_voxels; voxel += 4) {
    for (std::int64_t channel = 0; channel < whole_channels; channel += 4) {
      factors_of_square(words.data() + channel * voxels + voxel, voxels, thresholds, kept_bits,
                        factors + voxel * channels + channel, channels);
    }
    for (std::int64_t at = voxel; at < voxel + 4; ++at) {
      for (std::int64_t channel = whole_channels; channel < channels; ++channel) {
        put_factor(at, channel);
      }
    }
  }
  for (std::int64_t voxel = whole_voxels; voxel < voxels; ++voxel) {
    for (std::int64_t channel = 0; channel < channels; ++channel) put_factor(voxel, channel);
  }
}

void ChannelMoments::add(const ChannelMoments& other) {
  if (voxels == 0) {
    *this = other;
    return;
  }
  const auto here = static_cast<double>(voxels), there = static_cast<double>(other.voxels);
  voxels += other.voxels;
  for (std::size_t channel = 0; channel < means.size(); ++channel) {
    const double distance = other.means[channel] - means[channel];
    means[channel] += distance * there / (here + there);
    squares[channel] +=
        other.squares[channel] + distance * distance * here * there / (here + there);
  }
}

template <typename T>
ChannelMoments channel_moments(const T* input, const T* before, std::int64_t voxels,
                               std::int64_t channels) {
  const ChannelLoops& loops = MCVOL_KERNELS_IN_USE(kChannelLoops);
  const auto width = static_cast<std::size_t>(channels);
  const std::int64_t period = ChannelTable::period(channels);
  const std::int64_t count = voxels * channels;
  const std::int64_t part = std::min(voxels_at_a_time(channels) * channels, count);
  std::vector<float> values(static_cast<std::size_t>(part)), terms(values.size());
  std::vector<float> sums(static_cast<std::size_t>(period)), squares(sums.size());
  const auto add_part = [&](std::int64_t begin, const ChannelTable& pivots) {
    const std::int64_t length = std::min(part, count - begin);
    const float* at = widened(loops, input + begin, values.data(), length);
    if (before != nullptr) {
      loops.add(at, widened(loops, before + begin, terms.data(), length), values.data(), length);
      at = values.data();
    }
    for_each_period(length, period, [&](std::int64_t from, std::int64_t size) {
      loops.add_deviations(at + from, pivots.data(), sums.data(), squares.data(), size);
    });
  };
  const auto of_channels = [&](const std::vector<float>& of) {
    std::vector<double> totals(width);
    for (std::size_t n = 0; n < of.size(); ++n) totals[n % width] += of[n];
    return totals;
  };
  add_part(0, ChannelTable(std::vector<float>(1), channels));
  std::vector<float> pivot;
  for (const double sum : of_channels(sums)) {
    pivot.push_back(
        static_cast<float>(sum * static_cast<double>(channels) / static_cast<double>(part)));
  }
  std::fill(sums.begin(), sums.end(), 0.0F);
  std::fill(squares.begin(), squares.end(), 0.0F);
  const ChannelTable pivots(pivot, channels);
  for (std::int64_t begin = 0; begin < count; begin += part) add_part(begin, pivots);
  ChannelMoments moments{voxels, of_channels(sums), of_channels(squares)};
  for (std::size_t channel = 0; channel < width; ++channel) {
    const double offset = moments.means[channel] / static_cast<double>(voxels);
    moments.squares[channel] =
        std::max(moments.squares[channel] - offset * moments.means[channel], 0.0);
    moments.means[channel] = pivot[channel] + offset;
  }
  return moments;
}

template void apply_steps(const float*, float*, std::int64_t, std::int64_t,
                          const ChannelSteps<float>&);
template void apply_steps(const Bfloat16*, Bfloat16*, std::int64_t, std::int64_t,
                          const ChannelSteps<Bfloat16>&);
template ChannelMoments channel_moments(const float*, const float*, std::int64_t, std::int64_t);
template ChannelMoments channel_moments(const Bfloat16*, const Bfloat16*, std::int64_t,
                                        std::int64_t);

}  // namespace mcvol
