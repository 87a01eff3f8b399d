#include "channel_numbers.h"

#include <algorithm>
#include <cmath>

namespace mcvol {
namespace {

constexpr double kMedianOfNormal = 0.6744897501960817;      // of |z|, z ~ N(0, 1)
constexpr double kSecondDifferenceSd = 14.696938456699069;  // 6^(3/2): of 1, -2, 1 thrice

/// Second difference along all axes at once around a voxel; none where a neighbour is not brain.
std::optional<double> second_difference(const Image<float>& channel, const BrainSample& sample,
                                        const Index3& voxel) {
  double sum = 0;
  for (std::int64_t k = -1; k <= 1; ++k) {
    for (std::int64_t j = -1; j <= 1; ++j) {
      for (std::int64_t i = -1; i <= 1; ++i) {
        const Index3 neighbour{voxel[0] + i, voxel[1] + j, voxel[2] + k};
        if (!sample.contains(neighbour)) return std::nullopt;
        const double weight = (i == 0 ? -2.0 : 1.0) * (j == 0 ? -2.0 : 1.0) * (k == 0 ? -2.0 : 1.0);
        sum += weight * static_cast<double>(channel.values[sample.offset(neighbour)]);
      }
    }
  }
  return sum;
}

/// Linear interpolation between order statistics, numpy's default.
/// @param values at least one. @param shares ascending, 0 to 1.
template <std::size_t Count>
std::array<double, Count> quantiles_of(std::vector<double> values,
                                       const std::array<double, Count>& shares) {
  std::array<double, Count> quantiles{};
  auto begin = values.begin();  // what is before it is smaller
  for (std::size_t n = 0; n < quantiles.size(); ++n) {
    const double rank = shares[n] * static_cast<double>(values.size() - 1);
    const auto below = static_cast<std::ptrdiff_t>(std::floor(rank));
    const auto nth = values.begin() + below;
    std::nth_element(begin, nth, values.end());
    const double low = *nth;
    const double high = nth + 1 == values.end() ? low : *std::min_element(nth + 1, values.end());
    quantiles[n] = low + (high - low) * (rank - static_cast<double>(below));
    begin = nth;
  }
  return quantiles;
}

}  // namespace

SampleMoments sample_moments(std::span<const double> values) {
  if (values.empty()) return {};
  const auto count = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (const double value : values) sum += value;
  const double mean = sum / count;
  for (const double value : values) squares += (value - mean) * (value - mean);
  const double sd = std::sqrt(squares / count);
  return {mean, sd > 1e-9 * std::abs(mean) ? sd : 0.0};
}

std::optional<double> pearson(std::span<const double> a, std::span<const double> b) {
  const SampleMoments of_a = sample_moments(a), of_b = sample_moments(b);
  if (of_a.sd == 0 || of_b.sd == 0) return std::nullopt;
  double sum = 0;
  for (std::size_t n = 0; n < a.size(); ++n) {
    sum += (a[n] - of_a.mean) * (b[n] - of_b.mean);
  }
  const double correlation = sum / static_cast<double>(a.size()) / (of_a.sd * of_b.sd);
  return std::clamp(correlation, -1.0, 1.0);
}

std::vector<double> values_at(const Image<float>& channel, const BrainSample& sample) {
  std::vector<double> values;
  values.reserve(sample.voxels().size());
  for (const Index3& voxel : sample.voxels()) {
    values.push_back(static_cast<double>(channel.values[sample.offset(voxel)]));
  }
  return values;
}

std::array<double, kQualityQuantiles.size()> quality_quantiles(std::vector<double> values) {
  return quantiles_of(std::move(values), kQualityQuantiles);
}

std::optional<double> estimated_noise(const Image<float>& channel, const BrainSample& sample) {
  std::vector<double> differences;
  for (const Index3& voxel : sample.voxels()) {
    if (const auto difference = second_difference(channel, sample, voxel)) {
      differences.push_back(std::abs(*difference));
    }
  }
  if (differences.empty()) return std::nullopt;
  // The lower of the two in the middle, where there are two: it is one of thousands.
  const auto middle = differences.begin() + (std::ssize(differences) - 1) / 2;
  std::nth_element(differences.begin(), middle, differences.end());
  return *middle / (kMedianOfNormal * kSecondDifferenceSd);
}

std::optional<double> tail_asymmetry(const Image<float>& one, const Image<float>& other,
                                     const BrainSample& sample, const Index3& reach) {
  const auto difference_at = [&](const Index3& voxel) {
    const std::size_t offset = sample.offset(voxel);
    return static_cast<double>(one.values[offset]) - static_cast<double>(other.values[offset]);
  };
  std::vector<double> values;
  for (const Index3& voxel : sample.voxels()) {
    double around = 0;
    bool inside = true;
    for (std::size_t n = 0; n < 6 && inside; ++n) {
      Index3 neighbour = voxel;
      neighbour[n / 2] += n % 2 == 0 ? -reach[n / 2] : reach[n / 2];
      inside = sample.contains(neighbour);
      if (inside) around += difference_at(neighbour);
    }
    if (inside) values.push_back(difference_at(voxel) - around / 6);
  }
  if (values.empty()) return std::nullopt;
  const auto [low, middle, high] =
      quantiles_of<3>(std::move(values), {kQualityTail, 0.5, 1 - kQualityTail});
  const double width = high - low;
  if (!(width > 1e-9 * (std::abs(low) + std::abs(high)))) return std::nullopt;  // rounding alone
  return std::clamp((high + low - 2 * middle) / width, -1.0, 1.0);
}

std::optional<double> mean_step(const Image<float>& channel, const BrainSample& sample,
                                std::size_t axis) {
  double sum = 0;
  std::int64_t pairs = 0;
  for (const Index3& voxel : sample.voxels()) {
    Index3 next = voxel;
    ++next[axis];
    if (!sample.contains(next)) continue;
    sum += std::abs(static_cast<double>(channel.values[sample.offset(next)]) -
                    static_cast<double>(channel.values[sample.offset(voxel)]));
    ++pairs;
  }
  if (pairs == 0) return std::nullopt;
  return sum / static_cast<double>(pairs);
}

}  // namespace mcvol
