#include "mcvol/volumetry/conversion.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

namespace mcvol {
namespace {

constexpr int kLast = kHistogramNodes - 1;
constexpr int kHalf = kLast / 2;
constexpr double kNodeSpacing = 2 * kHistogramLogitLimit / kLast;

/// Mean of N(p > t) over each interval [p_k, p_(k+1)], in voxels: the weight above node k.
std::array<double, kLast> interval_means(const LogitHistogram& histogram) {
  std::array<double, kLast> means;
  std::int64_t above = 0;
  for (int k = kLast - 1; k >= 0; --k) {
    above += histogram.weights()[k + 1];
    means[k] = static_cast<double>(above) / static_cast<double>(kVoxelWeight);
  }
  return means;
}

/// p_(k+1) - p_k without cancellation.
double node_step(int k) {
  const HistogramNodes& nodes = histogram_nodes();
  return k < kHalf ? nodes.probabilities[k + 1] - nodes.probabilities[k]
                   : nodes.complements[k] - nodes.complements[k + 1];
}

}  // namespace

std::array<double, kHistogramNodes> level_set_counts(const LogitHistogram& histogram) {
  const HistogramNodes& nodes = histogram_nodes();
  const auto means = interval_means(histogram);
  // Integrals of N(p > t) dp, whose derivative by the logit at node k is N(p > p_k) p_k (1 - p_k).
  std::array<double, kLast> integrals;
  for (int k = 0; k < kLast; ++k) integrals[k] = means[k] * node_step(k);

  std::array<double, kHistogramNodes> counts;
  counts[0] = std::clamp(1.5 * means[0] - 0.5 * means[1], means[0],
                         static_cast<double>(histogram.voxel_count()));
  counts[kLast] =
      std::clamp(1.5 * means[kLast - 1] - 0.5 * means[kLast - 2], 0.0, means[kLast - 1]);
  for (int k = 1; k < kLast; ++k) {
    const double near = integrals[k - 1] + integrals[k];
    double count = near / (node_step(k - 1) + node_step(k));
    if (k >= 2 && k + 1 < kLast) {
      count = (7 * near - (integrals[k - 2] + integrals[k + 1])) /
              (12 * kNodeSpacing * nodes.probabilities[k] * nodes.complements[k]);
    }
    counts[k] = std::clamp(count, means[k], means[k - 1]);
  }
  const auto half = static_cast<double>(histogram.above_half());
  counts[kHalf] = half;
  for (int k = 0; k < kHalf; ++k) counts[k] = std::max(counts[k], half);
  for (int k = kHalf + 1; k <= kLast; ++k) counts[k] = std::min(counts[k], half);
  return counts;
}

VolumeCurve level_set_curve(const LogitHistogram& histogram, double voxel_volume_ml) {
  constexpr int kBeyond = 32;  // knots added at each end
  const auto counts = level_set_counts(histogram);
  const auto total = static_cast<double>(histogram.voxel_count());
  std::vector<double> volumes;
  volumes.reserve(kHistogramNodes + 2 * kBeyond);
  for (int j = 0; j < kBeyond; ++j) volumes.push_back(counts[kLast] * j / kBeyond);
  volumes.insert(volumes.end(), counts.rbegin(), counts.rend());
  for (int j = 1; j <= kBeyond; ++j) {
    volumes.push_back(counts[0] + (total - counts[0]) * j / kBeyond);
  }
  for (double& volume : volumes) volume *= voxel_volume_ml;
  return {VolumeCurve::Latent::kLogistic, 1.0,
          MonotoneCurve(-kHistogramLogitLimit - kBeyond * kNodeSpacing, kNodeSpacing,
                        std::move(volumes)),
          histogram.probability_sum() * voxel_volume_ml};
}

VolumeCurve independent_voxels_curve(const LogitHistogram& histogram, double voxel_volume_ml) {
  // Far enough for the rank of any volume.
  constexpr double kMaxZ = 1e6;
  const HistogramNodes& nodes = histogram_nodes();
  double variance = 0;
  for (int n = 0; n < kHistogramNodes; ++n) {
    variance +=
        static_cast<double>(histogram.weights()[n]) * nodes.probabilities[n] * nodes.complements[n];
  }
  const double sd_ml = std::sqrt(variance / static_cast<double>(kVoxelWeight)) * voxel_volume_ml;
  const double mean_ml = histogram.probability_sum() * voxel_volume_ml;
  return {VolumeCurve::Latent::kNormal, 1.0,
          MonotoneCurve(-kMaxZ, 2 * kMaxZ, {mean_ml - kMaxZ * sd_ml, mean_ml + kMaxZ * sd_ml}),
          mean_ml};
}

}  // namespace mcvol
