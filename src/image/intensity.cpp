#include "mcvol/image/intensity.h"

#include "mcvol/error/error.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace mcvol {
namespace {

/// The voxels whose statistics count and that are changed. A voxel that reaches 0 on the way (a
/// clip, a mean of 0) still counts, so they are marked once, before anything is changed.
std::vector<bool> voxels_in_mask(const Image<float>& image, IntensitySpec::Mask mask) {
  std::vector<bool> inside(image.values.size(), true);
  if (mask == IntensitySpec::Mask::kNonzero) {
    for (std::size_t voxel = 0; voxel < inside.size(); ++voxel) {
      inside[voxel] = image.values[voxel] != 0.0F;
    }
  }
  return inside;
}

template <typename Function>
void for_each_in(const std::vector<bool>& inside, Image<float>& image, Function function) {
  for (std::size_t voxel = 0; voxel < inside.size(); ++voxel) {
    if (inside[voxel]) {
      function(image.values[voxel]);
    }
  }
}

void clip(Image<float>& image, const std::vector<bool>& inside, double low, double high) {
  for_each_in(inside, image, [low, high](float& value) {
    value = static_cast<float>(std::clamp(static_cast<double>(value), low, high));
  });
}

struct Moments {
  double mean = 0.0;
  double sd = 0.0;  ///< population, divisor n
};

Moments moments_of(Image<float>& image, const std::vector<bool>& inside) {
  double count = 0.0;
  double sum = 0.0;
  for_each_in(inside, image, [&](float value) {
    count += 1.0;
    sum += value;
  });
  const double mean = sum / count;
  double squares = 0.0;
  for_each_in(inside, image, [&](float value) { squares += (value - mean) * (value - mean); });
  return {mean, std::sqrt(squares / count)};
}

/// Percentile `percent` (0 to 100) with linear interpolation between order statistics, which is
/// numpy's default. Reorders `values`.
double percentile_of(std::vector<float>& values, double percent) {
  const double rank = percent / 100.0 * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(std::floor(rank));
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(below);
  std::nth_element(values.begin(), nth, values.end());
  const double low = *nth;
  if (below + 1 == values.size()) {
    return low;
  }
  const double high = *std::min_element(nth + 1, values.end());
  return low + (high - low) * (rank - static_cast<double>(below));
}

void clip_as_asked(Image<float>& image, const std::vector<bool>& inside,
                   const IntensitySpec& spec) {
  if (spec.clip_values) {
    clip(image, inside, (*spec.clip_values)[0], (*spec.clip_values)[1]);
  }
  if (spec.clip_percentiles) {
    std::vector<float> values;
    for_each_in(inside, image, [&values](float value) { values.push_back(value); });
    const double low = percentile_of(values, (*spec.clip_percentiles)[0]);
    const double high = percentile_of(values, (*spec.clip_percentiles)[1]);
    clip(image, inside, low, high);
  }
  if (spec.clip_sd) {
    const Moments moments = moments_of(image, inside);
    clip(image, inside, moments.mean - *spec.clip_sd * moments.sd,
         moments.mean + *spec.clip_sd * moments.sd);
  }
}

void standardise(Image<float>& image, const std::vector<bool>& inside, double mean, double sd) {
  for_each_in(inside, image,
              [mean, sd](float& value) { value = static_cast<float>((value - mean) / sd); });
}

void rescale(Image<float>& image, const std::vector<bool>& inside,
             const std::array<double, 2>& range) {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for_each_in(inside, image, [&](float value) {
    low = std::min(low, static_cast<double>(value));
    high = std::max(high, static_cast<double>(value));
  });
  if (!(high > low)) {
    throw InputError("every voxel has the same intensity, nothing to rescale");
  }
  const double factor = (range[1] - range[0]) / (high - low);
  for_each_in(inside, image,
              [&](float& value) { value = static_cast<float>(range[0] + (value - low) * factor); });
}

}  // namespace

void normalise_intensity(Image<float>& image, const IntensitySpec& spec) {
  const std::vector<bool> inside = voxels_in_mask(image, spec.mask);
  if (std::find(inside.begin(), inside.end(), true) == inside.end()) {
    throw InputError("every voxel is 0, nothing to normalise; is this the right file?");
  }
  clip_as_asked(image, inside, spec);
  switch (spec.method) {
    case IntensitySpec::Method::kZscore: {
      const Moments moments = moments_of(image, inside);
      // Rounding leaves a constant channel an SD of a few ulps of its mean, not 0.
      if (!(moments.sd > 1e-9 * std::abs(moments.mean))) {
        throw InputError("every voxel has the same intensity, nothing to normalise by (SD 0)");
      }
      standardise(image, inside, moments.mean, moments.sd);
      break;
    }
    case IntensitySpec::Method::kFixed:
      standardise(image, inside, spec.mean, spec.sd);
      break;
    case IntensitySpec::Method::kRescale:
      rescale(image, inside, spec.range);
      break;
    case IntensitySpec::Method::kNone:
      break;
  }
}

}  // namespace mcvol
