#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace mcvol {

/// Weighted means over windows of what a network gives for each measured voxel, for a group of
/// passes. Sums are whole multiples of 2^-37, so that the order of windows changes no bit. Values
/// are clamped to ±2^16 first and weights are at most 1, so the sums of 512 windows
/// (Bundle::Window::kMostBlended) stay within 2^62. Before it is rounded to a float, a mean is off
/// by at most 2^-36 max(1, |mean|) / smallest weight.
class WindowBlend {
 public:
  WindowBlend(std::int64_t voxels, int channels, int passes);
  /// Working memory.
  static std::int64_t bytes(std::int64_t voxels, int channels, int passes);

  /// Counts a window's weights in, once for all passes.
  /// @param voxels positions in the list of measured voxels, each once.
  /// @param weights one per voxel, (0, 1].
  void add_weights(std::span<const std::int64_t> voxels, std::span<const float> weights);
  /// Counts a window's values of a pass in. May be called from several threads at once for other
  /// passes or voxels.
  /// @param values [channels, voxels.size()]; an infinity counts as ±2^16.
  /// @throws InputError for NaN; the sums are void then.
  void add(int pass, std::span<const std::int64_t> voxels, std::span<const float> weights,
           std::span<const float> values);

  /// Means of the measured voxels from `begin` to `begin` + `count` - 1: [channels, count].
  /// @throws Error where a voxel was in no window.
  void means(int pass, std::int64_t begin, std::int64_t count, std::span<float> out) const;

  /// Forgets the values, not the weights.
  void clear();

 private:
  /// Where the sums of a channel of a pass begin.
  std::size_t first_of(int pass, std::size_t channel) const;

  std::size_t voxels_, channels_;
  std::vector<std::int64_t> sums_;     ///< [pass, channel, voxel]
  std::vector<std::int64_t> weights_;  ///< [voxel]
};

}  // namespace mcvol
