#pragma once

#include "mcvol/image/image.h"

#include <cmath>
#include <cstdint>

namespace mcvol {

/// What surrounds the head in one channel: a value that the border of the image has, or a narrow
/// band of noise about it.
struct Background {
  bool found = false;
  double value = 0.0;         ///< where nothing was found, the commonest on the border
  double tolerance = 0.0;     ///< a voxel within this of `value` is background; 0: equal to it
  double border_share = 0.0;  ///< of the border's voxels that `value` and its band hold, 0 to 1

  bool contains(float voxel) const {
    return std::abs(static_cast<double>(voxel) - value) <= tolerance;
  }
  /// What a clean scan has.
  bool is_exactly_zero() const { return found && value == 0.0 && tolerance == 0.0; }

  /// The least share of the border that a background holds. A cube cut from a ball so that all its
  /// faces lie 0.7 radii from the centre still has as much.
  static constexpr double kLeastBorderShare = 0.2;
  /// Half the width of the widest band of noise, as a share of the image's range of intensities.
  /// Resampling and filters leave some 1e-6 to 1e-3; noise in the air of a scan that was not
  /// skull-stripped spreads over 2 % and more.
  static constexpr double kWidestBand = 0.005;
  /// How far from the background a residue lies at most, as a share of the range. A step of 16-bit
  /// integers is 1.5e-5 of theirs and more, so that no stored intensity is taken for one.
  static constexpr double kResidue = 1e-5;
};

/// Looks for it on the six faces of the image, the head of which may touch them, tilted or cut off:
/// the densest band of values, as wide as kWidestBand allows or a step of the storage. Nearly all
/// of the band one value: that is the background, with the residues about it where they are as
/// many as 1 % of the other voxels. Else the band is noise, and has to stand alone: values that
/// spread further are air or tissue.
/// @param step between values that the file can store next to each other; 0 of floating point.
Background find_background(const Image<float>& image, double step);

/// The voxels that are not background: 1. Where it is not exactly 0, those all of whose 26
/// neighbours are background are too: a voxel that a program left at another value would move the
/// corner of the brain.
Image<std::uint8_t> brain_beside(const Background& background, const Image<float>& image);

/// Sets all voxels that are not of `brain` to 0, and moves those of it that are 0 to the smallest
/// number above: where 0 is no background it is an intensity like others, and what comes after
/// takes it for background.
void put_background_at_zero(Image<float>& image, const Image<std::uint8_t>& brain);

}  // namespace mcvol
