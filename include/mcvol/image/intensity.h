#pragma once

#include "mcvol/image/image.h"

#include <array>
#include <optional>

namespace mcvol {

/// How a channel's intensities are normalised before the network sees them ("intensity" in a
/// bundle's model.json).
struct IntensitySpec {
  enum class Method { kZscore, kFixed, kRescale, kNone };
  enum class Mask { kNonzero, kAll };

  Method method = Method::kZscore;
  /// Voxels whose statistics count. With kNonzero, voxels that were 0 stay 0 (background).
  Mask mask = Mask::kNonzero;
  /// Clip at mean ± clip_sd standard deviations, then take mean and SD again over the same mask.
  std::optional<double> clip_sd;
  /// Clip at these intensities [low, high] before anything else.
  std::optional<std::array<double, 2>> clip_values;
  /// Clip at these percentiles [low, high], 0 to 100, of the mask (linear interpolation).
  std::optional<std::array<double, 2>> clip_percentiles;
  double mean = 0.0;                      ///< kFixed: subtracted
  double sd = 1.0;                        ///< kFixed: divided by; > 0
  std::array<double, 2> range{0.0, 1.0};  ///< kRescale: what the minimum and maximum become
};

/// Normalises `image` in place. Mean and SD (population, divisor n) are taken in double precision.
/// @throws InputError where there is nothing to normalise: no voxel in the mask, or SD 0
///   (zscore) or minimum = maximum (rescale). The caller names the file.
void normalise_intensity(Image<float>& image, const IntensitySpec& spec);

}  // namespace mcvol
