#include "window_blend.h"

#include "mcvol/error/error.h"
#include "mcvol/network/bundle/bundle.h"

#include <algorithm>

namespace mcvol {
namespace {

constexpr double kQuanta = 0x1p37;  // in 1
constexpr float kLargest = 0x1p16F;
static_assert(static_cast<double>(Bundle::Window::kMostBlended) * kLargest * kQuanta < 0x1p63);

std::int64_t quanta(double value) { return static_cast<std::int64_t>(value * kQuanta); }

/// NaN becomes the lower limit.
float clamped(float value) {
  const float from_below = value > -kLargest ? value : -kLargest;
  return from_below < kLargest ? from_below : kLargest;
}

}  // namespace

WindowBlend::WindowBlend(std::int64_t voxels, int channels, int passes)
    : voxels_(static_cast<std::size_t>(voxels)),
      channels_(static_cast<std::size_t>(channels)),
      sums_(voxels_ * channels_ * static_cast<std::size_t>(passes), 0),
      weights_(voxels_, 0) {}

std::int64_t WindowBlend::bytes(std::int64_t voxels, int channels, int passes) {
  return static_cast<std::int64_t>(sizeof(std::int64_t)) * voxels *
         (std::int64_t{channels} * passes + 1);
}

std::size_t WindowBlend::first_of(int pass, std::size_t channel) const {
  return (static_cast<std::size_t>(pass) * channels_ + channel) * voxels_;
}

void WindowBlend::add_weights(std::span<const std::int64_t> voxels,
                              std::span<const float> weights) {
  for (std::size_t n = 0; n < voxels.size(); ++n) {
    weights_[static_cast<std::size_t>(voxels[n])] += quanta(weights[n]);
  }
}

// The reads and writes of the sums take the time: quantising apart from them, in vectors, made it
// no faster.
void WindowBlend::add(int pass, std::span<const std::int64_t> voxels,
                      std::span<const float> weights, std::span<const float> values) {
  std::int64_t not_numbers = 0;
  for (std::size_t channel = 0; channel < channels_; ++channel) {
    std::int64_t* sums = sums_.data() + first_of(pass, channel);
    const float* value = values.data() + channel * voxels.size();
    for (std::size_t n = 0; n < voxels.size(); ++n) {
      not_numbers += value[n] != value[n];
      // The product of two floats is exact in a double.
      sums[voxels[n]] += quanta(static_cast<double>(clamped(value[n])) * weights[n]);
    }
  }
  if (not_numbers > 0) throw InputError("the network gave a voxel no probability (NaN)");
}

void WindowBlend::means(int pass, std::int64_t begin, std::int64_t count,
                        std::span<float> out) const {
  const auto first = static_cast<std::size_t>(begin);
  const auto size = static_cast<std::size_t>(count);
  const std::span<const std::int64_t> weights(weights_.data() + first, size);
  if (std::any_of(weights.begin(), weights.end(),
                  [](std::int64_t weight) { return weight <= 0; })) {
    throw Error("a voxel to be measured lies in no window");
  }
  for (std::size_t channel = 0; channel < channels_; ++channel) {
    const std::int64_t* sums = sums_.data() + first_of(pass, channel) + first;
    float* mean = out.data() + channel * size;
    for (std::size_t n = 0; n < size; ++n) {
      mean[n] = static_cast<float>(static_cast<double>(sums[n]) / static_cast<double>(weights[n]));
    }
  }
}

void WindowBlend::clear() { std::fill(sums_.begin(), sums_.end(), 0); }

}  // namespace mcvol
