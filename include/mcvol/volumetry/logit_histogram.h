#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace mcvol {

/// Nodes of every probability histogram: equally spaced in logit(p) on [-16, 16], spacing 1/8.
inline constexpr int kHistogramNodes = 257;
inline constexpr double kHistogramLogitLimit = 16.0;
/// One voxel in the histogram's fixed-point weights (2^-16 voxel units).
inline constexpr std::int64_t kVoxelWeight = std::int64_t{1} << 16;

/// The nodes' logits and probabilities. `complements[n] = 1 - probabilities[n]` without rounding.
struct HistogramNodes {
  std::array<double, kHistogramNodes> logits;
  std::array<double, kHistogramNodes> probabilities;
  std::array<double, kHistogramNodes> complements;
};
const HistogramNodes& histogram_nodes();
/// exp(logit) of the nodes below p = 0.5, from logit -16 on, as LogitHistogram uses them: for those
/// who make its sums elsewhere.
const std::array<float, (kHistogramNodes - 1) / 2>& histogram_lower_odds();

/// Distribution of voxel probabilities of one region in one pass (or of their mean over passes).
///
/// Each voxel is split between the two nodes around it, linearly in p (in 1 - p above 0.5), in
/// fixed point: the voxel count is kept exactly, the sum of p to rounding, and addition does not
/// depend on order, so the same counts come out for any number of threads. Beyond ±16 a voxel goes
/// to the end node.
class LogitHistogram {
 public:
  /// Adds one voxel. `logit` is the natural log of p / (1 - p); ±infinity is allowed.
  /// @throws InputError for NaN: the network gave no probability.
  void add(float logit);
  void add(std::span<const float> logits);
  LogitHistogram& operator+=(const LogitHistogram& other);
  bool operator==(const LogitHistogram&) const = default;

  /// Weights per node, 2^-16 voxel each; their sum is voxel_count() * kVoxelWeight.
  const std::array<std::int64_t, kHistogramNodes>& weights() const { return weights_; }
  std::int64_t voxel_count() const;
  /// Exact number of voxels with p > 0.5 (logit > 0).
  std::int64_t above_half() const { return above_half_; }
  /// Sum of p over voxels, in voxels.
  double probability_sum() const;

  /// Rebuilds a histogram read from a record.
  /// @throws InputError when weights are negative or do not sum to whole voxels, or `above_half`
  ///   exceeds the voxel count.
  static LogitHistogram from_weights(const std::array<std::int64_t, kHistogramNodes>& weights,
                                     std::int64_t above_half);

 private:
  std::array<std::int64_t, kHistogramNodes> weights_{};
  std::int64_t above_half_ = 0;
};

}  // namespace mcvol
