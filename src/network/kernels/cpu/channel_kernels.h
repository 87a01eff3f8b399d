#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

// Kernels of the CPU for activations with channels last, [voxels, channels] in fp32 or bfloat16
// (the upper half of a float's bits). Arithmetic is in fp32, element by element in a fixed order:
// neither threads nor the vectors of a processor change a bit.

namespace mcvol {

struct Bfloat16 {
  std::uint16_t bits = 0;
};

/// A value for each channel, as often in a row as makes whole vectors: loops over [voxels,
/// channels] then need not know where a voxel ends.
class ChannelTable {
 public:
  ChannelTable() = default;
  /// @param values [channels], or one for all.
  ChannelTable(std::span<const float> values, std::int64_t channels);

  bool empty() const { return values_.empty(); }
  const float* data() const { return values_.data(); }
  /// Elements after which it begins anew, of all tables of so many channels.
  static std::int64_t period(std::int64_t channels);

 private:
  std::vector<float> values_;
};

/// What follows a convolution, in this order; what is empty is left out:
/// x + before, * scale + shift, * early, below 0 * slope, * late, + after.
template <typename T>
struct ChannelSteps {
  const T* before = nullptr;
  ChannelTable scale, shift, early, slope, late;
  const T* after = nullptr;
  /// Factors for each element of the part at hand in place of `early` or `late`.
  std::span<const float> early_elements, late_elements;
};

/// Voxels of that many channels that are worked on at a time: they stay in the nearest cache.
std::int64_t voxels_at_a_time(std::int64_t channels);

/// @param count elements, those of voxels_at_a_time() at most.
template <typename T>
void apply_steps(const T* input, T* output, std::int64_t count, std::int64_t channels,
                 const ChannelSteps<T>& steps);

/// Factors of dropout: `kept` where a word is at least `threshold`, else 0.
///
/// @param words [channels, voxels]. @param factors [voxels, channels].
void factors_of_words(std::span<const std::uint32_t> words, std::int64_t voxels,
                      std::int64_t channels, std::uint64_t threshold, float kept, float* factors);

/// Means over voxels, and sums of squared deviations from them.
struct ChannelMoments {
  std::int64_t voxels = 0;
  std::vector<double> means, squares;

  /// As if of the voxels of both (Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm
  /// for computing sample variances", Stanford 1979).
  void add(const ChannelMoments& other);
};

/// Of x + before, of a few thousand voxels: fp32 sums of deviations from about their mean, so that
/// none is lost however far from 0 they are.
template <typename T>
ChannelMoments channel_moments(const T* input, const T* before, std::int64_t voxels,
                               std::int64_t channels);

/// The floats that a kernel works on.
inline float to_float(float value) { return value; }
inline float to_float(Bfloat16 value) {
  return std::bit_cast<float>(std::uint32_t{value.bits} << 16);
}

}  // namespace mcvol
