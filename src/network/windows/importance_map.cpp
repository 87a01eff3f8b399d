#include "importance_map.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace mcvol {
namespace {

constexpr long double kSigmaShare = 0.125;
constexpr float kLeastWeight = 1e-3F;

/// In extended precision first: the exp of doubles may differ in its last bit between processors.
std::vector<double> gaussian(std::int64_t size) {
  const long double sigma = kSigmaShare * static_cast<long double>(size);
  std::vector<double> weights(static_cast<std::size_t>(size));
  for (std::size_t n = 0; n < weights.size(); ++n) {
    const long double x = static_cast<long double>(n) - static_cast<long double>(size - 1) / 2;
    weights[n] = static_cast<double>(std::exp(-x * x / (2 * sigma * sigma)));
  }
  return weights;
}

/// The nearest number of half precision to one of 0 to 2^15: 11 bits, and steps of 2^-24 below
/// 2^-14.
float in_half_precision(float value) {
  if (value == 0) return 0;
  const int exponent = std::max(std::ilogb(value), -14);
  return std::ldexp(std::nearbyint(std::ldexp(value, 10 - exponent)), exponent - 10);
}

/// What scipy.ndimage.gaussian_filter makes of an impulse at size / 2, over its largest value.
std::vector<double> filtered_impulse(std::int64_t size) {
  constexpr double kTruncate = 4.0;  // standard deviations
  const double sigma = static_cast<double>(kSigmaShare) * static_cast<double>(size);
  const std::int64_t radius = std::llround(kTruncate * sigma);
  const std::int64_t middle = size / 2;
  std::vector<double> weights(static_cast<std::size_t>(size), 0.0);
  for (std::int64_t n = 0; n < size; ++n) {
    if (std::abs(n - middle) > radius) continue;
    const long double x = static_cast<long double>(n - middle) / sigma;
    weights[static_cast<std::size_t>(n)] = static_cast<double>(std::exp(-x * x / 2));
  }
  return weights;
}

/// nnU-Net's largest weight is 10; ours are at most 1, and a power of two leaves all digits.
std::vector<float> nnunet_map(const std::array<std::int64_t, 3>& output) {
  constexpr double kLargest = 10.0;
  constexpr float kScale = 1.0F / 16;
  const auto along0 = filtered_impulse(output[0]);
  const auto along1 = filtered_impulse(output[1]);
  const auto along2 = filtered_impulse(output[2]);
  std::vector<float> weights;
  auto least = static_cast<float>(kLargest);
  for (const double w0 : along0) {
    for (const double w1 : along1) {
      for (const double w2 : along2) {
        const float weight = in_half_precision(static_cast<float>(kLargest * w0 * w1 * w2));
        if (weight > 0) least = std::min(least, weight);
        weights.push_back(weight);
      }
    }
  }
  for (float& weight : weights) weight = kScale * (weight > 0 ? weight : least);
  return weights;
}

}  // namespace

std::vector<float> importance_map(const std::array<std::int64_t, 3>& output,
                                  Bundle::Window::Blend blend) {
  if (blend == Bundle::Window::Blend::kGaussianNnunet) return nnunet_map(output);
  const auto size = static_cast<std::size_t>(output[0] * output[1] * output[2]);
  std::vector<float> weights(size, 1.0F);
  if (blend != Bundle::Window::Blend::kGaussian) return weights;
  const auto along0 = gaussian(output[0]);
  const auto along1 = gaussian(output[1]);
  const auto along2 = gaussian(output[2]);
  auto weight = weights.begin();
  for (const double w0 : along0) {
    for (const double w1 : along1) {
      for (const double w2 : along2) {
        *weight++ = std::max(kLeastWeight, static_cast<float>(w0 * w1 * w2));
      }
    }
  }
  return weights;
}

}  // namespace mcvol
