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

}  // namespace

std::vector<float> importance_map(const std::array<std::int64_t, 3>& output,
                                  Bundle::Window::Blend blend) {
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
